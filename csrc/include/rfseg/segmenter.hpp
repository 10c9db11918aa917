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
#include <utility>
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

struct Options {
  std::string device = "auto";  ///< "auto", "cpu", "cuda" or "cuda:N"; an explicit device never falls back
  float threshold = 0.5F;       ///< score above which an instance is kept, strictly; 0..1
  /// Thresholds by class id or name; classes not listed use `threshold`.
  std::map<std::variant<int, std::string>, float> class_thresholds = {};
  int max_detections = 300;  ///< at most this many instances a frame, the best ones; never more than queries
  std::optional<Resize> resize = std::nullopt;  ///< nullopt ("auto"): what the model's file says, else pil
  NamesOption names = {};
  int slots = 0;  ///< frames in flight; 0: 2 on a CPU, 6 on a GPU
  int threads =
      0;  ///< on a CPU: of the network, 0: physical cores; on a GPU: that copy and outline, 0: as measured best
  Stages stages = Stages::device;  ///< on a GPU
  /// Outlines traced before a result is handed out; nullopt: when they are first asked for.
  std::optional<OutlineMode> outlines = std::nullopt;
  std::string onnxruntime = {};  ///< path of libonnxruntime.so; empty: RFSEG_ONNXRUNTIME, then the loader's search
  std::string tensorrt = {};     ///< path of libnvinfer or libnvinfer_lean; empty: RFSEG_TENSORRT, then the search
  std::vector<std::string> library_folders = {};  ///< searched for TensorRT before the loader's own, in order
  /// Lets an engine run machine code that it carries, as version-compatible ones may: only for files you trust.
  bool allow_engine_code = false;
  LogCallback log = {};  ///< empty: silent
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
  std::string backend;          ///< "onnxruntime", "tensorrt"
  std::string library_version;  ///< of the backend
  std::string library_path;
  /// Of the network's weights: "float32", "float16", "int8", ..., "mixed"; of an engine that states none, of its masks.
  std::string precision;
  ImageSize network_size;  ///< Hn x Wn
  ImageSize mask_size;     ///< Hm x Wm
  int queries = 0;         ///< Q
  int columns = 0;         ///< C, class columns of the network
  int slots = 0;
  int threads = 0;              ///< as Options::threads
  std::string gpu;              ///< name and compute capability; empty on a CPU
  int gpu_ordinal = -1;         ///< N of "cuda:N"
  std::string input_precision;  ///< of the network's input: "float32", "float16"
  Stages stages = Stages::host;
  Resize resize = Resize::pil;  ///< in use, whoever chose it
  std::string producer;         ///< "rfdetr 1.12.0, seg-nano"; empty where the file does not say
};

/// What has happened so far.
struct Counters {
  std::int64_t slow_frames = 0;         ///< took the host's stages because a buffer was too small for what they held
  std::int64_t device_allocations = 0;  ///< device and pinned buffers made; TensorRT's own are not counted
  std::int64_t module_loads = 0;        ///< kernel images loaded; a new size, threshold or class list loads none
  std::int64_t bytes_back = 0;          ///< that the device wrote for the frame collected last
};

/// A frame in page-locked memory, which a GPU reads without a copy by the host. Ordinary memory where there is no GPU.
/// Outlives the Segmenter it came from, if need be.
class RFSEG_API FrameBuffer {
 public:
  std::uint8_t* data() const { return data_; }  ///< packed [height, width, 3]
  ImageSize size() const { return size_; }
  ImageView view(PixelFormat format) const {
    return {data_, size_.height, size_.width, std::ptrdiff_t{3} * size_.width, format};
  }

 private:
  friend class Segmenter;
  FrameBuffer(ImageSize size, std::shared_ptr<std::uint8_t> data)
      : size_(size), owner_(std::move(data)), data_(owner_.get()) {}
  ImageSize size_;
  std::shared_ptr<std::uint8_t> owner_;
  std::uint8_t* data_;
};

/// Runs one model. One thread at a time per object; distinct objects are independent.
class RFSEG_API Segmenter {
 public:
  /// Opens `model`: an `.onnx` file for a CPU, a TensorRT engine (`.engine`, `.plan`, `.trt`) for a GPU. Waits until
  /// the network is loaded.
  /// @throws ModelError    the file is missing or is not an RF-DETR segmentation network
  /// @throws BackendError  no usable library or device; says which were tried
  /// @throws InputError    an option is out of range, or names do not fit the class columns
  explicit Segmenter(const std::string& model, const Options& options = {});
  ~Segmenter();  ///< waits for the frames in flight
  Segmenter(Segmenter&&) noexcept;
  Segmenter& operator=(Segmenter&&) noexcept;

  /// Segments one frame. Waits for the result. The frame is not kept, wherever it is. `tensors`: when not null, also
  /// receives what the network was given and what it answered.
  /// @throws InputError  the frame is empty, or submitted frames have not been collected
  Result infer(const ImageView& frame, NetworkTensors* tensors = nullptr);

  /// Starts one frame. Waits only while the frame is read; it is not kept.
  /// @throws InputError  the frame is empty, or info().slots frames are in flight
  void submit(const ImageView& frame);

  /// The result of the oldest frame in flight. Waits for it. When that frame failed, throws its error; the others are
  /// not affected.
  /// @throws InputError  nothing is in flight
  Result collect();

  /// What the host's stages make of a network's answers, with this object's classes and thresholds. Host work on the
  /// calling thread. `tensors.input` is not looked at.
  /// @throws InputError  a tensor of another size, or an image size that is not positive
  Result postprocess(const NetworkTensors& tensors, ImageSize image_size) const;

  /// Milliseconds a frame of the network alone: what `runs` > 0 frames take on `contexts` contexts at once (a CPU has
  /// one), divided by `runs`. The limit that the whole pipeline is measured against. Waits.
  /// @throws InputError  frames are in flight, or a number is out of range
  double network_ms(int runs, int contexts = 1);

  /// Memory for a frame that the caller fills, again and again, and passes as frame.view().
  /// @throws InputError  a size is not positive
  FrameBuffer frame_buffer(ImageSize size) const;

  /// The CUDA stream that device frames may be made ready on instead of their producer's own: pass it as
  /// ImageView::producer_stream. 0 on a CPU.
  std::uintptr_t frame_stream() const;

  /// Calls `work` with this Segmenter's GPU current on the calling thread, then restores what was; on a CPU just calls
  /// it. For producers of device frames, which look at what is current.
  void on_device(const std::function<void()>& work) const;

  Counters counters() const;
  int pending() const;     ///< frames in flight
  void discard_pending();  ///< waits for the frames in flight and drops their results
  const ClassNames& names() const;
  const Info& info() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rfseg
