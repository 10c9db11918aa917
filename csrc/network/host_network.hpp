// A network that reads and writes host memory, whatever runs it.
#pragma once

#include "network/model_contract.hpp"

#include <rfseg/segmenter.hpp>

namespace rfseg::network {

/// Where the tensors of some images are: float32 host memory of the sizes that the contract says, C-contiguous, one
/// image behind the other.
struct HostTensors {
  const float* input = nullptr;  ///< [n, 3, Hn, Wn]
  float* dets = nullptr;         ///< [n, Q, 4]
  float* labels = nullptr;       ///< [n, Q, C]
  float* masks = nullptr;        ///< [n, Q, Hm, Wm]
};

/// Room for the tensors of `images` images; zeros.
NetworkTensors make_tensors(const ModelContract& contract, int images);

class HostNetwork {
 public:
  virtual ~HostNetwork() = default;

  virtual const ModelContract& contract() const = 0;

  /// Runs `images` images at once and waits; writes the outputs in place. A fixed batch runs with exactly that many.
  /// One thread at a time.
  /// @throws BackendError  the library reports a failure
  virtual void run(const HostTensors& tensors, int images) = 0;
};

}  // namespace rfseg::network
