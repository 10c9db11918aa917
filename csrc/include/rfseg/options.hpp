// What a caller may ask for: once, when a model is opened, and again for a single frame.
#pragma once

#include <rfseg/image.hpp>
#include <rfseg/masks.hpp>
#include <rfseg/result.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace rfseg {

enum class LogLevel { debug, info, warning, error };

/// Receives one message at a time, from any thread; must not throw.
using LogCallback = std::function<void(LogLevel, const std::string&)>;

/// A list is 0-based and contiguous; a map keeps only the class columns it names; a text is "coco" (COCO's 80 classes
/// on their ids 1..90) or a file: JSON, data.yaml, or one name a line. Nothing: what the model says, else
/// `model.names.json` or `class_names.txt` beside it.
using NamesOption = std::variant<std::monostate, std::vector<std::string>, ClassNames, std::string>;

/// Which side does everything but the network on a GPU.
enum class Stages {
  device,  ///< the GPU: the host copies frames in and outlines masks
  host,    ///< the host, as on a CPU: for debugging and comparing
};

/// A class by its id or its name.
using ClassKey = std::variant<int, std::string>;

struct Options {
  /// "auto", "cpu", "cuda", "cuda:N", "cuda:all", or several as "cuda:0,cuda:1"; an explicit device never falls back.
  std::string device = "auto";
  float threshold = 0.5F;  ///< score above which an instance is kept, strictly; 0..1
  /// Thresholds by class; classes not listed use `threshold`.
  std::map<ClassKey, float> class_thresholds = {};
  int max_detections = 300;  ///< at most this many instances a frame, the best ones; never more than queries
  std::optional<Resize> resize = std::nullopt;  ///< nullopt ("auto"): what the model's file says, else pil
  NamesOption names = {};
  /// Frames in flight, on each GPU; 0: 2 on a CPU, on a GPU enough for every lane to find its next batch waiting.
  int slots = 0;
  /// Images that an execution takes at most; 0: what the engine allows on a GPU, 1 on a CPU, a fixed batch as it is.
  int max_batch = 0;
  /// Executions at once on each GPU; 0: as measured best. A CPU has one: the network's threads are the machine's.
  int lanes = 0;
  /// On a CPU: of the network, 0: physical cores. On a GPU: that copy and outline, 0: as measured best.
  int threads = 0;
  Stages stages = Stages::device;  ///< on a GPU
  /// Outlines traced before a result is handed out, from the first frame on; nullopt: once they have been asked for.
  std::optional<OutlineMode> outlines = std::nullopt;
  std::string onnxruntime = {};  ///< path of libonnxruntime.so; empty: RFSEG_ONNXRUNTIME, the loader's search, pip's
  std::string tensorrt = {};     ///< path of libnvinfer or libnvinfer_lean; empty: RFSEG_TENSORRT, then the search
  std::vector<std::string> library_folders = {};  ///< searched for TensorRT before the loader's own, in order
  /// Lets an engine run machine code that it carries, as version-compatible ones may: only for files you trust.
  bool allow_engine_code = false;
  LogCallback log = {};  ///< empty: silent
};

/// What one frame asks for instead of what the Segmenter was opened with. Costs no reload and no capture.
struct FrameOptions {
  std::optional<float> threshold = std::nullopt;    ///< of the classes that class_thresholds does not list; 0..1
  std::map<ClassKey, float> class_thresholds = {};  ///< used when it or `threshold` is given, instead of Options'
  std::optional<std::vector<ClassKey>> classes = std::nullopt;  ///< the only classes that are kept
};

}  // namespace rfseg
