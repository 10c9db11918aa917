// Reads kernels.bin. Trusts no offset in it.
#include "cuda/kernel_blob.hpp"

#include <rfseg/error.hpp>

#include <kernel_abi.hpp>

#include <algorithm>
#include <cstring>
#include <tuple>

namespace rfseg::cuda {

namespace {

using kernel_abi::FileEntry;
using kernel_abi::FileHeader;

static_assert(kMaxKernelParameters == kernel_abi::kMaxParameters);
static_assert(static_cast<std::uint32_t>(ImageKind::cubin) == static_cast<std::uint32_t>(kernel_abi::ImageKind::cubin));
static_assert(static_cast<std::uint32_t>(ImageKind::ptx) == static_cast<std::uint32_t>(kernel_abi::ImageKind::ptx));
constexpr unsigned kMostThreads = 1024;

void expect(bool holds, const char* what) {
  if (!holds) throw BackendError(std::string("the kernel images of this build cannot be used: ") + what);
}

KernelImage read_entry(const char* file, std::size_t file_bytes, const FileEntry& entry) {
  expect(entry.kind <= 1 && entry.threads >= 1 && entry.threads <= kMostThreads &&
             entry.parameters <= kMaxKernelParameters,
         "an entry is damaged");
  expect(entry.name_offset < file_bytes &&
             std::memchr(file + entry.name_offset, '\0', file_bytes - entry.name_offset) != nullptr,
         "a kernel's name leaves the file");
  expect(
      entry.image_offset < file_bytes && entry.image_bytes >= 1 && entry.image_bytes <= file_bytes - entry.image_offset,
      "an image leaves the file");
  KernelImage image;
  image.kernel = entry.kernel;
  image.kind = static_cast<ImageKind>(entry.kind);
  image.compute_capability = {static_cast<int>(entry.compute_capability / 10),
                              static_cast<int>(entry.compute_capability % 10)};
  image.threads = entry.threads;
  image.shared_bytes = entry.shared_bytes;
  image.parameters = entry.parameters;
  std::copy(std::begin(entry.parameter_bytes), std::end(entry.parameter_bytes), image.parameter_bytes.begin());
  image.entry = file + entry.name_offset;
  image.image = file + entry.image_offset;
  // The driver reads PTX as text, without a length.
  expect(image.kind == ImageKind::cubin || file[entry.image_offset + entry.image_bytes - 1] == '\0',
         "a PTX image does not end in NUL");
  return image;
}

std::tuple<int, int> order(ComputeCapability capability) { return {capability.major, capability.minor}; }

bool runs_on(const KernelImage& image, ComputeCapability device) {
  const bool not_newer = order(image.compute_capability) <= order(device);
  return not_newer && (image.kind == ImageKind::ptx || image.compute_capability.major == device.major);
}

}  // namespace

std::string KernelImage::text() const {
  return (kind == ImageKind::cubin ? "cubin for " : "PTX for ") + compute_capability.text();
}

KernelBlob::KernelBlob(const void* data, std::size_t bytes) {
  const auto* const file = static_cast<const char*>(data);
  FileHeader header{};
  expect(bytes >= sizeof header, "the file is too short");
  std::memcpy(&header, file, sizeof header);
  expect(std::memcmp(header.magic, kernel_abi::kFileMagic, sizeof header.magic) == 0,
         "it is no such file, or of another version");
  expect(header.entry_bytes == sizeof(FileEntry) && header.file_bytes == bytes, "its sizes are not the expected ones");
  expect(header.entries >= 1 && header.entries <= (bytes - sizeof header) / sizeof(FileEntry), "it has no entries");
  for (std::uint32_t i = 0; i < header.entries; ++i) {
    FileEntry entry{};
    std::memcpy(&entry, file + sizeof header + i * sizeof entry, sizeof entry);
    images_.push_back(read_entry(file, bytes, entry));
  }
}

std::vector<const KernelImage*> KernelBlob::images_for(std::uint32_t kernel, const DeviceInfo& device) const {
  const auto better = [](const KernelImage& image, const KernelImage* than) {
    return than == nullptr || order(image.compute_capability) > order(than->compute_capability);
  };
  const KernelImage* best[2] = {};  // by ImageKind
  const KernelImage* oldest = nullptr;
  for (const KernelImage& image : images_) {
    if (image.kernel != kernel) continue;
    if (oldest == nullptr || better(*oldest, &image)) oldest = &image;
    const KernelImage*& candidate = best[static_cast<std::size_t>(image.kind)];
    if (runs_on(image, device.compute_capability) && better(image, candidate)) candidate = &image;
  }
  if (oldest == nullptr) throw BackendError("this build has no kernel number " + std::to_string(kernel));
  std::vector<const KernelImage*> found;
  for (const KernelImage* image : best) {
    if (image != nullptr) found.push_back(image);
  }
  if (!found.empty()) return found;
  throw BackendError(device.text() + " is not supported: rfseg's kernels need compute capability " +
                     oldest->compute_capability.text() + " or later");
}

}  // namespace rfseg::cuda
