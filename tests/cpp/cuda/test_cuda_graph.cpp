// Kernels, captures and graphs against the stand-in.
#include "cuda/buffer.hpp"
#include "cuda/cuda_stand.hpp"
#include "cuda/graph.hpp"
#include "cuda/kernel.hpp"

#include <rfseg/error.hpp>

#include <kernel_abi.hpp>

#include <iterator>
#include <map>
#include <stdexcept>

extern "C" {
extern const unsigned char rfseg_kernels_begin[];
extern const unsigned char rfseg_kernels_end[];
}

using namespace rfseg::cuda;
using stand_in::blob_of;
using stand_in::cubin;
using stand_in::ptx;
using stand_in::Stand;

namespace {

constexpr std::uint32_t kAdd = 7;
using Add = Kernel<DeviceAddress, std::int32_t>;

std::string chosen(std::pair<int, int> capability, const std::vector<stand_in::BlobEntry>& entries) {
  const std::vector<char> file = blob_of(entries);
  DeviceInfo device;
  device.name = "a GPU";
  device.compute_capability = {capability.first, capability.second};
  std::string text;
  const KernelBlob blob(file.data(), file.size());
  for (const KernelImage* image : blob.images_for(kAdd, device)) text += image->text() + "; ";
  return text;
}

}  // namespace

TEST_CASE("kernel images: the best one for each device") {
  const std::vector<stand_in::BlobEntry> all = {cubin(80), cubin(86),  cubin(87),  cubin(89),
                                                cubin(90), cubin(100), cubin(120), ptx(80)};
  CHECK(chosen({8, 0}, all) == "cubin for 8.0; PTX for 8.0; ");
  CHECK(chosen({8, 6}, all) == "cubin for 8.6; PTX for 8.0; ");
  CHECK(chosen({8, 7}, all) == "cubin for 8.7; PTX for 8.0; ");
  CHECK(chosen({8, 8}, all) == "cubin for 8.7; PTX for 8.0; ");
  CHECK(chosen({8, 9}, all) == "cubin for 8.9; PTX for 8.0; ");
  CHECK(chosen({9, 0}, all) == "cubin for 9.0; PTX for 8.0; ");
  CHECK(chosen({10, 3}, all) == "cubin for 10.0; PTX for 8.0; ");
  CHECK(chosen({11, 0}, all) == "PTX for 8.0; ");
  CHECK(chosen({12, 1}, all) == "cubin for 12.0; PTX for 8.0; ");
  CHECK(chosen({9, 0}, {cubin(89), ptx(80), ptx(90), ptx(100)}) == "PTX for 9.0; ");
  CHECK_THROWS_WITH_AS(chosen({7, 5}, all),
                       doctest::Contains("a GPU (cuda:0, compute capability 7.5) is not supported: "
                                         "rfseg's kernels need compute capability 8.0 or later"),
                       rfseg::BackendError);
}

TEST_CASE("kernel images: the embedded ones serve every GPU that is promised") {
  using Number = rfseg::kernel_abi::Kernel;
  const Number kernels[] = {Number::resize_first, Number::resize_last, Number::resize_bilinear, Number::select,
                            Number::mask_count,   Number::mask_runs,   Number::gather,          Number::gather_rows};
  const KernelBlob blob(rfseg_kernels_begin, static_cast<std::size_t>(rfseg_kernels_end - rfseg_kernels_begin));
  std::map<std::uint32_t, std::string> images;
  for (const KernelImage& image : blob.images()) images[image.kernel] += image.text() + "; ";
  CHECK(images.size() == std::size(kernels));
  for (const Number kernel : kernels) {
    CHECK(images[static_cast<std::uint32_t>(kernel)] ==
          "cubin for 8.0; cubin for 8.6; cubin for 8.7; cubin for 8.9; cubin for 9.0; cubin for 10.0; "
          "cubin for 12.0; PTX for 8.0; ");
  }
}

TEST_CASE("kernel images: damaged files are refused") {
  const std::vector<char> good = blob_of({cubin(90), ptx(80)});
  const auto refused = [&good](const char* why, auto damage) {
    std::vector<char> bad = good;
    damage(bad);
    CHECK_THROWS_WITH_AS(KernelBlob(bad.data(), bad.size()), doctest::Contains(why), rfseg::BackendError);
  };
  CHECK(KernelBlob(good.data(), good.size()).images().size() == 2);
  refused("too short", [](auto& file) { file.resize(63); });
  refused("no such file", [](auto& file) { file[7] = '2'; });
  refused("sizes", [](auto& file) { file.resize(file.size() - 1); });
  refused("no entries", [](auto& file) { file[8] = 0; });
  refused("no entries", [](auto& file) { file[8] = 120; });
  refused("damaged", [](auto& file) { file[64 + 4] = 2; });
  refused("damaged", [](auto& file) { file[64 + 20] = 33; });
  refused("name leaves", [](auto& file) { file[64 + 24 + 6] = 1; });
  refused("image leaves", [](auto& file) { file[64 + 32 + 7] = 1; });
  refused("image leaves", [](auto& file) { file[64 + 40 + 6] = 1; });
  refused("NUL", [](auto& file) { file.at(file.size() - 1) = 'x'; });
  for (std::size_t size = 0; size < good.size(); ++size) {
    const std::vector<char> cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_THROWS_AS(KernelBlob(cut.data(), cut.size()), rfseg::BackendError);
  }
}

TEST_CASE("kernel: arguments arrive, with the two hidden ones as null") {
  const Stand stand;
  stand.control.set_kernel("add", stand_in::add_kernel());
  const std::vector<char> file = blob_of({cubin(90), ptx(80)});
  const CurrentDevice current(*stand.device);
  const Stream stream(stand.device, "slot 0");
  PinnedBuffer value(stand.device, 4, "value");
  std::memset(value.data(), 0, 4);
  const Add add =
      KernelImages(stand.device, KernelBlob(file.data(), file.size())).load<DeviceAddress, std::int32_t>(kAdd);
  CHECK(add.image() == "cubin for 9.0");
  add.enqueue(stream, {5, 2, 1}, value.address(), -3);
  stream.wait_idle();
  std::int32_t result = 0;
  std::memcpy(&result, value.data(), 4);
  CHECK(result == -3);
  REQUIRE(stand.control.launches().size() == 1);
  const stand_in::Launch launch = stand.control.launches()[0];
  CHECK(launch.grid[0] == 5);
  CHECK(launch.grid[1] == 2);
  CHECK(launch.block[0] == 128);
  CHECK(launch.arguments[2] == std::vector<std::byte>(8));
  CHECK(launch.arguments[3] == std::vector<std::byte>(8));
  CHECK_THROWS_WITH_AS(add.enqueue(stream, {0, 1, 1}, value.address(), 1),
                       doctest::Contains("cuLaunchKernel failed for add"), rfseg::CudaError);
}

TEST_CASE("kernel: another argument list, another number, and much shared memory") {
  const Stand stand;
  stand.control.set_kernel("add", stand_in::add_kernel());
  stand_in::BlobEntry wide = cubin(90);
  wide.shared_bytes = 100000;
  const std::vector<char> file = blob_of({wide});
  const KernelImages images(stand.device, KernelBlob(file.data(), file.size()));
  CHECK_THROWS_WITH_AS((images.load<DeviceAddress, std::int64_t>(kAdd)),
                       doctest::Contains("parameters of 8, 4, 8, 8 bytes, and is called with 8, 8, 8, 8"),
                       rfseg::BackendError);
  CHECK_THROWS_AS((images.load<DeviceAddress>(kAdd)), rfseg::BackendError);
  CHECK_THROWS_WITH_AS((images.load<DeviceAddress>(1)), doctest::Contains("no kernel number 1"), rfseg::BackendError);
  const Add add = images.load<DeviceAddress, std::int32_t>(kAdd);
  CHECK(stand.control.calls("cuFuncSetAttribute") == 1);
}

TEST_CASE("kernel: PTX replaces a cubin that the driver refuses, and both reasons are told") {
  const Stand stand;
  stand.control.set_kernel("add", stand_in::add_kernel());
  const std::vector<char> file = blob_of({cubin(90), ptx(80)});
  const KernelImages images(stand.device, KernelBlob(file.data(), file.size()));
  stand.control.refuse_images("\177ELF");
  const Add add = images.load<DeviceAddress, std::int32_t>(kAdd);
  CHECK(add.image().find("PTX for 8.0 (cuModuleLoadDataEx failed for cubin for 9.0 of add") == 0);
  CHECK(stand.control.images() == std::vector<std::string>{".version 80"});
  stand.control.refuse_images(".version");
  CHECK_THROWS_WITH_AS((images.load<DeviceAddress, std::int32_t>(kAdd)),
                       doctest::Contains("PTX for 8.0 of add (the stand-in's compiler says no): "), rfseg::CudaError);
}

TEST_CASE("graph: captured work runs at each launch and not before") {
  const Stand stand;
  stand.control.set_kernel("add", stand_in::add_kernel());
  const std::vector<char> file = blob_of({cubin(90)});
  const CurrentDevice current(*stand.device);
  const Stream stream(stand.device, "slot 0");
  const DeviceBuffer value(stand.device, 4, "value");
  PinnedBuffer back(stand.device, 4, "back");
  const Add add =
      KernelImages(stand.device, KernelBlob(file.data(), file.size())).load<DeviceAddress, std::int32_t>(kAdd);
  enqueue_fill(stream, value, 0);
  Capture capture(stream);
  add.enqueue(stream, {}, value.address(), 2);
  enqueue_copy(stream, back, value, 0, 4);
  const GraphExec exec = [&] {
    const Graph graph = capture.end();
    CHECK(graph.nodes() == 2);
    return GraphExec(graph);
  }();
  stream.wait_idle();
  CHECK(stand.control.launches().empty());
  for (int i = 0; i < 3; ++i) exec.enqueue(stream);
  stream.wait_idle();
  std::int32_t result = 0;
  std::memcpy(&result, back.data(), 4);
  CHECK(result == 6);
}

TEST_CASE("graph: a capture ends on every path") {
  const Stand stand;
  const CurrentDevice current(*stand.device);
  const Stream stream(stand.device, "slot 0");
  const DeviceBuffer buffer(stand.device, 4, "buffer");
  const auto throwing = [&] {
    const Capture capture(stream);
    enqueue_fill(stream, buffer, 1);
    throw std::runtime_error("in the middle");
  };
  CHECK_THROWS_AS(throwing(), std::runtime_error);
  stream.wait_idle();  // fails while a capture is open
  const auto empty = [&] { return Capture(stream).end(); };
  CHECK_THROWS_WITH_AS(empty(), doctest::Contains("the graph captured on slot 0 is empty"), rfseg::CudaError);
  const auto allocating = [&] {
    Capture capture(stream);
    CHECK_THROWS_AS(DeviceBuffer(stand.device, 4, "more"), rfseg::CudaError);
    return capture.end();
  };
  CHECK_THROWS_WITH_AS(allocating(), doctest::Contains("cuStreamEndCapture failed for the graph captured on slot 0"),
                       rfseg::CudaError);
  stream.wait_idle();
}
