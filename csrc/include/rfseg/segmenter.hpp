// The one type most embedders need: a model, ready to turn frames into results.
#pragma once

#include <rfseg/export.hpp>
#include <rfseg/image.hpp>
#include <rfseg/result.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace rfseg {

enum class LogLevel { debug, info, warning, error };

/// Receives one message at a time, from any thread; must not throw.
using LogCallback = std::function<void(LogLevel, const std::string&)>;

/// A list is 0-based and contiguous; a map keeps only the class columns it names; nothing: what the model or its
/// sidecar file (`model.names.json` beside `model.onnx`) says.
using NamesOption = std::variant<std::monostate, std::vector<std::string>, ClassNames>;

struct Options {
  std::string device = "auto";  ///< "auto", "cpu", "cuda" or "cuda:N"; an explicit device never falls back
  float threshold = 0.5F;       ///< score above which an instance is kept, strictly; 0..1
  /// Thresholds by class id or name; classes not listed use `threshold`.
  std::map<std::variant<int, std::string>, float> class_thresholds = {};
  int max_detections = 300;  ///< at most this many instances a frame, the best ones; never more than queries
  Resize resize = Resize::pil;
  NamesOption names = {};
  int slots = 0;    ///< frames in flight; 0: 2 on a CPU
  int threads = 0;  ///< threads of the network on a CPU; 0: physical cores
  /// Outlines traced before a result is handed out; nullopt: when they are first asked for.
  std::optional<OutlineMode> outlines = std::nullopt;
  std::string onnxruntime = {};  ///< path of libonnxruntime.so; empty: RFSEG_ONNXRUNTIME, then the loader's search
  LogCallback log = {};          ///< empty: silent
};

/// What the network was given for one frame and what it answered, as float32. For comparing, not for speed.
struct NetworkTensors {
  std::vector<float> input;   ///< [3, Hn, Wn]
  std::vector<float> dets;    ///< [Q, 4] cx cy w h, normalised
  std::vector<float> labels;  ///< [Q, C] logits
  std::vector<float> masks;   ///< [Q, Hm, Wm] logits
};

/// What a Segmenter runs and on what.
struct Info {
  std::string model;            ///< path
  std::string device;           ///< "cpu", "cuda:0"
  std::string backend;          ///< "onnxruntime"
  std::string library_version;  ///< of the backend
  std::string library_path;
  std::string precision;   ///< of the network's outputs: "float32", "float16"
  ImageSize network_size;  ///< Hn x Wn
  ImageSize mask_size;     ///< Hm x Wm
  int queries = 0;         ///< Q
  int columns = 0;         ///< C, class columns of the network
  int slots = 0;
  int threads = 0;  ///< of the network on a CPU; 0 on a GPU
};

/// Runs one model. One thread at a time per object; distinct objects are independent.
class RFSEG_API Segmenter {
 public:
  /// Opens `model`, an `.onnx` file. Waits until the network is loaded.
  /// @throws ModelError    the file is missing or is not an RF-DETR segmentation network
  /// @throws BackendError  no usable library or device; says which were tried
  /// @throws InputError    an option is out of range, or names do not fit the class columns
  explicit Segmenter(const std::string& model, const Options& options = {});
  ~Segmenter();  ///< waits for the frames in flight
  Segmenter(Segmenter&&) noexcept;
  Segmenter& operator=(Segmenter&&) noexcept;

  /// Segments one frame. Waits for the result. The frame is not kept. `tensors`: when not null, also receives what the
  /// network was given and what it answered.
  /// @throws InputError  the frame is empty, or submitted frames have not been collected
  Result infer(const ImageView& frame, NetworkTensors* tensors = nullptr);

  /// Starts one frame. Waits only while the frame is read; it is not kept.
  /// @throws InputError  the frame is empty, or info().slots frames are in flight
  void submit(const ImageView& frame);

  /// The result of the oldest frame in flight. Waits for it. When that frame failed, throws its error; the others are
  /// not affected.
  /// @throws InputError  nothing is in flight
  Result collect();

  /// Milliseconds a frame of the network alone: what `runs` > 0 frames take on `contexts` contexts at once (a CPU has
  /// one), divided by `runs`. The limit that the whole pipeline is measured against. Waits.
  /// @throws InputError  frames are in flight, or a number is out of range
  double network_ms(int runs, int contexts = 1);

  int pending() const;     ///< frames in flight
  void discard_pending();  ///< waits for the frames in flight and drops their results
  const ClassNames& names() const;
  const Info& info() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rfseg
