// Runs an RF-DETR engine with TensorRT on one device. Opens the library at run time and calls it without its headers.
// Owns no stream and no frame's memory.
#pragma once

#include "cuda/device.hpp"
#include "cuda/stream.hpp"
#include "network/engine_build.hpp"
#include "network/model_contract.hpp"

#include <rfseg/segmenter.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rfseg::network {

struct TensorRtOptions {
  std::string library = {};  ///< path of libnvinfer or libnvinfer_lean; empty: RFSEG_TENSORRT, then the search
  std::vector<std::string> folders = {};  ///< searched before the loader's own, such as site-packages/tensorrt_libs
  /// Engines may bring machine code of their own (version-compatible ones bring a runtime), which then runs in this
  /// program: only for files that are trusted.
  bool allow_engine_code = false;
  LogCallback log = {};    ///< TensorRT's messages; every engine's callback hears every engine's messages
  EngineBuild built = {};  ///< as files beside the engine state it
};

/// Where the tensors of some images are: device memory of that many times bytes() each, at multiples of 256.
struct DeviceTensors {
  cuda::DeviceAddress input = 0;   ///< [n, 3, Hn, Wn]
  cuda::DeviceAddress dets = 0;    ///< [n, Q, 4]
  cuda::DeviceAddress labels = 0;  ///< [n, Q, C]
  cuda::DeviceAddress masks = 0;   ///< [n, Q, Hm, Wm]
};

/// How many images an execution takes: by the file where it fixes them, else by its first profile.
struct BatchRange {
  int least = 1, best = 1, most = 1;
};

struct TensorBytes {
  std::size_t input = 0, dets = 0, labels = 0, masks = 0;
};

/// What an execution needs of an engine, with its own work memory on the device, enough for every batch. One thread at
/// a time. Keeps the engine alive. Ends when its work is done: wait for the stream first.
class TensorRtContext {
 public:
  TensorRtContext(TensorRtContext&&) noexcept;
  TensorRtContext& operator=(TensorRtContext&&) noexcept;
  ~TensorRtContext();

  /// Sets where the tensors are. They stay valid until the work queued since is done; a graph captured from here keeps
  /// these addresses. Device is current.
  /// @throws BackendError  an address is 0 or not aligned, or TensorRT refuses it
  void bind(const DeviceTensors& tensors);

  /// Sets how many images come, in batch(). Work queued before keeps its own number, and so does a captured graph.
  /// @throws BackendError  TensorRT refuses the number
  void set_batch(int images);

  /// Queues the network on `stream`, for the batch that was set. Does not wait. May be captured in a graph after one
  /// plain run. Device is current.
  /// @throws BackendError  TensorRT refuses; its last errors are in the message
  void enqueue(const cuda::Stream& stream);

 private:
  friend class TensorRtEngine;
  class Impl;
  explicit TensorRtContext(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Needs neither a GPU nor TensorRT: a wrong path is wrong on every machine.
/// @throws ModelError  the file is missing, empty or no regular file
void check_engine_file(const std::string& engine);

/// One loaded engine. Immutable after construction; every thread may make contexts.
class TensorRtEngine {
 public:
  /// Loads `engine`, which the caller trusts: TensorRT does not defend itself against hostile files. Waits. Makes the
  /// device current itself.
  /// @throws BackendError  no usable TensorRT library: names each one tried and why it was refused; or the engine is
  ///                       stated to be for another one, or for another GPU, and was not given to it
  /// @throws ModelError    the file is missing, empty, refused by this TensorRT on this GPU, or no RF-DETR network
  TensorRtEngine(const std::string& engine, const cuda::SharedDevice& device, const TensorRtOptions& options);

  const ModelContract& contract() const;  ///< complete
  BatchRange batch() const;
  TensorBytes bytes() const;                   ///< of each tensor, for one image
  const std::string& file() const;             ///< as it was given
  const std::string& library_version() const;  ///< "10.6.0"
  const std::string& library_path() const;

  /// Makes a context; allocates its work memory on the device. Makes the device current itself.
  /// @throws BackendError  TensorRT refuses; its last errors are in the message
  TensorRtContext make_context() const;

 private:
  friend class TensorRtContext;
  class Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace rfseg::network
