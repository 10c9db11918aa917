// What the tests of csrc/cuda share: a device of the stand-in, and a file of kernel images made by hand.
#pragma once

#include "cuda/device.hpp"
#include "cuda/driver.hpp"
#include "doctest.h"
#include "stand_ins/stand_in_cuda.hpp"

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace stand_in {

/// The stand-in, emptied, with one device opened. At its end nothing may be left and nothing may have been misused.
class Stand {
 public:
  Stand() : control(stand_in::cuda(RFSEG_STAND_IN_CUDA)) {
    control.reset();
    device = std::make_shared<const rfseg::cuda::Device>(rfseg::cuda::open_driver(RFSEG_STAND_IN_CUDA), 0);
  }
  ~Stand() {
    device.reset();
    expect_clean();
  }

  void expect_clean() const {
    for (const auto& [kind, count] : control.live()) FAIL_CHECK(count << " left of " << kind);
    for (const std::string& misuse : control.misuses()) FAIL_CHECK(misuse);
    CHECK(control.context_depth() == 0);
  }

  stand_in::Cuda& control;
  rfseg::cuda::SharedDevice device;
};

struct BlobEntry {
  std::uint32_t kernel, kind, compute_capability, threads, shared_bytes;
  std::vector<std::uint8_t> parameter_bytes;
  std::string name, image;
};

/// kernels.bin with these entries, as triton_kernels/abi.py describes it.
inline std::vector<char> blob_of(const std::vector<BlobEntry>& entries) {
  constexpr std::size_t kHeader = 64, kEntry = 80;
  std::vector<char> file(kHeader + kEntry * entries.size());
  const auto put = [&file](std::size_t at, const auto& value) { std::memcpy(file.data() + at, &value, sizeof value); };
  const auto append = [&file](const std::string& bytes) {
    const std::uint64_t offset = file.size();
    file.insert(file.end(), bytes.begin(), bytes.end());
    return offset;
  };
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const BlobEntry& entry = entries[i];
    const std::uint64_t name = append(entry.name + '\0');
    const std::uint64_t image = append(entry.image);
    const std::size_t at = kHeader + kEntry * i;
    const std::uint32_t words[] = {
        entry.kernel,  entry.kind,         entry.compute_capability,
        entry.threads, entry.shared_bytes, static_cast<std::uint32_t>(entry.parameter_bytes.size())};
    put(at, words);
    put(at + 24, name);
    put(at + 32, image);
    put(at + 40, std::uint64_t{entry.image.size()});
    std::memcpy(file.data() + at + 48, entry.parameter_bytes.data(), entry.parameter_bytes.size());
  }
  std::memcpy(file.data(), "RFSEGK01", 8);
  put(8, static_cast<std::uint32_t>(entries.size()));
  put(12, static_cast<std::uint32_t>(kEntry));
  put(16, std::uint64_t{file.size()});
  return file;
}

inline BlobEntry cubin(std::uint32_t compute_capability, std::vector<std::uint8_t> parameters = {8, 4, 8, 8}) {
  return {
      7, 0, compute_capability, 128, 0, std::move(parameters), "add", "\177ELF" + std::to_string(compute_capability)};
}

inline BlobEntry ptx(std::uint32_t compute_capability) {
  return {
      7, 1, compute_capability, 128, 0, {8, 4, 8, 8}, "add", ".version " + std::to_string(compute_capability) + '\0'};
}

/// Kernel "add" (number 7): adds its second argument to the 32-bit integer that its first points to.
inline KernelModel add_kernel() {
  return {{8, 4, 8, 8}, [](const Launch& launch) {
            std::uint64_t address = 0;
            std::int32_t term = 0, value = 0;
            std::memcpy(&address, launch.arguments[0].data(), sizeof address);
            std::memcpy(&term, launch.arguments[1].data(), sizeof term);
            void* const memory = reinterpret_cast<void*>(address);
            std::memcpy(&value, memory, sizeof value);
            value += term;
            std::memcpy(memory, &value, sizeof value);
          }};
}

}  // namespace stand_in
