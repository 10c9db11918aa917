// What the kernels of triton_kernels/ compute, in plain C++ for the CUDA stand-in. The models see a launch's arguments
// and nothing else, so a wrong argument is a wrong answer or a complaint. How fast a kernel is, they do not know.
#pragma once

#include "raster/resize/resample_table.hpp"
#include "stand_ins/stand_in_cuda.hpp"

#include <kernel_abi.hpp>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace stand_in {

namespace abi = rfseg::kernel_abi;

/// What the models found wrong with their arguments. Work runs under the stand-in's lock: read it when none runs.
using Complaints = std::vector<std::string>;

/// Teaches the stand-in the kernels whose images are embedded in this program.
void install_kernels(Cuda& control, const std::shared_ptr<Complaints>& complaints);

/// Reads the arguments of a launch in order.
class Arguments {
 public:
  explicit Arguments(const Launch& launch) : launch_(launch) {}

  template <class T>
  T next() {
    T value{};
    std::memcpy(&value, launch_.arguments.at(index_++).data(), sizeof value);
    return value;
  }
  int integer() { return next<std::int32_t>(); }
  template <class T>
  T* pointer() {
    return reinterpret_cast<T*>(next<std::uint64_t>());
  }

 private:
  const Launch& launch_;
  std::size_t index_ = 0;
};

/// A member of FrameParams that is an address.
template <class T>
T* at(std::uint64_t address) {
  return reinterpret_cast<T*>(address);
}

void expect_axis(const std::int32_t* table, const rfseg::raster::BilinearAxis& axis, Complaints& complaints);

// The models by themselves; each appends to `complaints`.
void run_resize_first(const Launch& launch, Complaints& complaints);
void run_resize_last(const Launch& launch, Complaints& complaints);
void run_resize_bilinear(const Launch& launch, Complaints& complaints);
void run_gather(const Launch& launch, Complaints& complaints);
void run_gather_rows(const Launch& launch, Complaints& complaints);
void run_select(const Launch& launch, Complaints& complaints);
void run_mask_pass(const Launch& launch, bool emit, Complaints& complaints);

}  // namespace stand_in
