// Compares our prototypes of the driver's functions with a real cuda.h, when the build found one: same number of
// arguments, each of the same size and kind. A mistake does not compile.
#include "cuda/driver.hpp"
#include "doctest.h"

#ifdef RFSEG_CUDA_HEADER
#include <cuda.h>

#include <type_traits>

// cuda.h 13 declares this one under its second name only; libcuda still exports the first, with the same prototype.
#ifdef cuEventElapsedTime
#undef cuEventElapsedTime
extern "C" decltype(cuEventElapsedTime_v2) cuEventElapsedTime;
#endif

namespace {

template <class T>
constexpr bool kIsAddress = std::is_pointer_v<T>;

template <class Ours, class Theirs>
constexpr bool same_kind() {
  return sizeof(Ours) == sizeof(Theirs) && kIsAddress<Ours> == kIsAddress<Theirs> &&
         std::is_floating_point_v<Ours> == std::is_floating_point_v<Theirs>;
}

template <class Ours, class Theirs>
constexpr bool same_argument() {
  if constexpr (std::is_pointer_v<Ours> && std::is_pointer_v<Theirs>) {
    using OurTarget = std::remove_pointer_t<Ours>;
    using TheirTarget = std::remove_pointer_t<Theirs>;
    if constexpr (std::is_class_v<OurTarget>) {
      return std::is_class_v<TheirTarget>;  // an opaque handle
    } else if constexpr (std::is_void_v<OurTarget> || std::is_void_v<TheirTarget>) {
      return std::is_same_v<OurTarget, TheirTarget>;
    } else {
      return same_kind<OurTarget, TheirTarget>() && std::is_const_v<OurTarget> == std::is_const_v<TheirTarget>;
    }
  } else {
    return same_kind<Ours, Theirs>();
  }
}

template <class... Ours, class... Theirs>
constexpr bool same_function(rfseg::cuda::ResultCode (*)(Ours...), CUresult (*)(Theirs...)) {
  if constexpr (sizeof...(Ours) == sizeof...(Theirs)) {
    return (same_argument<Ours, Theirs>() && ...);
  } else {
    return false;
  }
}

using rfseg::cuda::Driver;

#define SAME(symbol, ...) \
  static_assert(same_function(decltype(Driver::symbol){}, decltype(&::symbol){}), "prototype of " #symbol);
RFSEG_CUDA_DRIVER_CALLS(SAME)
#undef SAME

// The comparison can fail.
static_assert(!same_function(decltype(Driver::cuMemFree_v2){}, decltype(&::cuMemFreeHost){}));
static_assert(!same_function(decltype(Driver::cuMemcpyHtoDAsync_v2){}, decltype(&::cuMemcpyDtoHAsync_v2){}));
static_assert(!same_function(decltype(Driver::cuStreamCreateWithPriority){}, decltype(&::cuStreamCreate){}));

}  // namespace

TEST_CASE("driver prototypes: equal to cuda.h") {
  int compared = 0;
#define COUNT(symbol, ...) ++compared;
  RFSEG_CUDA_DRIVER_CALLS(COUNT)
#undef COUNT
  CHECK(compared == 46);
}
#endif
