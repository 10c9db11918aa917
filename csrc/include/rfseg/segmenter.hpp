// The one type most embedders need: a model, ready to turn frames into results.
#pragma once

#include <rfseg/export.hpp>
#include <rfseg/image.hpp>
#include <rfseg/options.hpp>
#include <rfseg/result.hpp>
#include <rfseg/ticket.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rfseg {

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
  std::string device;           ///< "cpu", "cuda:0", "cuda:0,cuda:1"
  std::string backend;          ///< "onnxruntime", "tensorrt"
  std::string library_version;  ///< of the backend
  std::string library_path;
  /// Of the network's weights: "float32", "float16", "int8", ..., "mixed"; of an engine that states none, of its masks.
  std::string precision;
  ImageSize network_size;         ///< Hn x Wn
  ImageSize mask_size;            ///< Hm x Wm
  int queries = 0;                ///< Q
  int columns = 0;                ///< C, class columns of the network
  int places = 0;                 ///< pairs kept before the threshold: Q, unless the file says another number
  int slots = 0;                  ///< frames in flight, on each GPU
  int lanes = 0;                  ///< executions at once, on each GPU
  int min_batch = 0;              ///< images that an execution takes at least; missing ones are filled up
  int max_batch = 0;              ///< images that an execution takes at most
  int threads = 0;                ///< as Options::threads
  std::string gpu;                ///< names and compute capabilities; empty on a CPU
  std::vector<int> gpu_ordinals;  ///< the N of every "cuda:N"; empty on a CPU
  std::string input_precision;    ///< of the network's input: "float32", "float16"
  Stages stages = Stages::host;
  Resize resize = Resize::pil;  ///< in use, whoever chose it
  Normalisation normalisation;  ///< in use
  std::string producer;         ///< "rfdetr 1.12.0, seg-nano"; empty where the file does not say
};

/// What has happened so far, on all devices together.
struct Counters {
  std::int64_t frames = 0;              ///< finished, whether or not anybody took the result
  std::int64_t batches = 0;             ///< executions that they took; frames / batches says how full these were
  std::int64_t slow_frames = 0;         ///< took the host's stages because a buffer was too small for what they held
  std::int64_t device_allocations = 0;  ///< device and pinned buffers made; TensorRT's own are not counted
  std::int64_t module_loads = 0;        ///< kernel images loaded; a new size, threshold or class list loads none
  std::int64_t captures = 0;            ///< graphs captured: one a lane and batch size, when the model is opened
  std::int64_t bytes_back = 0;          ///< that the device wrote for the frame finished last
  std::int64_t assumed_colors = 0;      ///< frames of planes whose matrix or range nobody stated
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

/// Runs one model. Every thread may call everything at any time; each frame's result reaches whoever sent the frame.
/// After a fork only the process that opened the model may use it: in a child every call throws, and the end of the
/// object does nothing.
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
  /// @throws InputError  the frame is empty, or `options` name a class that the model does not have
  Result infer(const ImageView& frame, const FrameOptions& options = {}, NetworkTensors* tensors = nullptr);

  /// Segments several frames, of any sizes and formats, in as few executions as they fit. Waits.
  /// @throws as infer, for the first frame that fails; the others are finished and dropped
  std::vector<Result> infer(const std::vector<ImageView>& frames, const FrameOptions& options = {},
                            std::vector<NetworkTensors>* tensors = nullptr);

  /// Starts one frame. Waits while info().slots frames are in flight, and while the frame is read; it is not kept.
  /// The ticket is also among those that collect() goes through.
  /// @throws InputError  as infer
  Ticket submit(const ImageView& frame, const FrameOptions& options = {}, std::string tag = {});

  /// As submit, but collect() and pending() do not know of the frames: only the tickets lead to them. Those of a list
  /// start together, as far as they fit into an execution.
  Ticket start(const ImageView& frame, const FrameOptions& options = {}, std::string tag = {});
  std::vector<Ticket> start(const std::vector<ImageView>& frames, const FrameOptions& options = {});

  /// The result of the oldest ticket that submit() gave out and nobody took. Waits for it.
  /// @throws InputError  there is none; what the frame failed with, which does not affect the others
  Result collect();

  bool ready(const Ticket& ticket) const { return ticket.ready(); }  ///< as Ticket::ready
  Result take(const Ticket& ticket) { return ticket.take(); }        ///< as Ticket::take

  int pending() const;     ///< tickets that submit() gave out and nobody took
  void discard_pending();  ///< cancels or waits for those, and drops their results

  /// What the host's stages make of a network's answers, with this object's classes and thresholds. Host work on the
  /// calling thread. `tensors.input` is not looked at.
  /// @throws InputError  a tensor of another size, or an image size that is not positive
  Result postprocess(const NetworkTensors& tensors, ImageSize image_size) const;

  /// Milliseconds an image of the network alone: what `runs` > 0 executions of `batch` images take on `contexts` lanes
  /// of the first GPU at once (a CPU has one), divided by the images. The limit that the whole pipeline is measured
  /// against. `batch` 0: info().max_batch. Waits for the frames in flight; frames sent meanwhile wait.
  /// @throws InputError  a number is out of range
  double network_ms(int runs, int contexts = 1, int batch = 0);

  /// Memory for a frame that the caller fills, again and again, and passes as frame.view().
  /// @throws InputError  a size is not positive
  FrameBuffer frame_buffer(ImageSize size) const;

  /// The CUDA stream that frames on GPU `gpu`, an index into info().gpu_ordinals, may be made ready on instead of their
  /// producer's own: pass it as ImageView::producer_stream. 0 on a CPU.
  std::uintptr_t frame_stream(int gpu = 0) const;

  /// Calls `work` with that GPU current on the calling thread, then restores what was; on a CPU just calls it. For
  /// producers of device frames, which look at what is current.
  void on_device(const std::function<void()>& work, int gpu = 0) const;

  Counters counters() const;
  const ClassNames& names() const;
  const Info& info() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rfseg
