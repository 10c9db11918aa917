// A Segmenter on the stand-ins from its opening to its end, with everything a caller may do in between: what the tests
// repeat while one thing fails.
#pragma once

#include "pipeline/gpu_stand.hpp"

#include <string>
#include <vector>

namespace stand_in {

/// Frames and where the third lies: made before anything fails.
struct Sent {
  explicit Sent(const GpuStand& stand);
  Frame frames[3] = {Frame({20, 30}, 1), Frame({20, 30}, 2), Frame({16, 40}, 3)};
  rfseg::cuda::DeviceBuffer memory;
  rfseg::ImageView on_device;
};

/// Steps of a life that gave what they should, and what those said that did not.
struct Outcome {
  int right = 0;
  std::vector<std::string> failures;
};

constexpr int kSteps = 5;  ///< of a life that opened

/// Lives are lived for every n-th of many calls: 1, or what RFSEG_FAULT_STEP says, since sanitizers make them slow.
int fault_step();

/// Opens, submits two frames and takes them, infers one of another size in device memory, infers a batch, and ends with
/// a frame in flight. What fails is told by an exception; every step after it is tried.
Outcome whole_life(GpuStand& stand, const Sent& sent);

}  // namespace stand_in
