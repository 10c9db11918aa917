// Asks the driver about its devices and retains primary contexts. Makes nothing on them.
#include "cuda/device.hpp"

#include "cuda/check.hpp"

#include <rfseg/error.hpp>

#include <array>
#include <utility>

namespace rfseg::cuda {

namespace {

constexpr int kUnknown = -1;          // no capture mode: the driver did not say
constexpr int kMultiprocessors = 16;  // CUdevice_attribute
constexpr int kComputeCapabilityMajor = 75;
constexpr int kComputeCapabilityMinor = 76;

int count_devices(const Driver& driver) {
  int count = 0;
  check(driver, driver.cuDeviceGetCount(&count), "cuDeviceGetCount", "the NVIDIA driver " + driver.path);
  return count;
}

DeviceHandle device_handle(const Driver& driver, int ordinal) {
  DeviceHandle handle = 0;
  check(driver, driver.cuDeviceGet(&handle, ordinal), "cuDeviceGet", "device cuda:" + std::to_string(ordinal));
  return handle;
}

DeviceInfo ask(const Driver& driver, int ordinal) {
  const DeviceHandle handle = device_handle(driver, ordinal);
  const std::string object = "device cuda:" + std::to_string(ordinal);
  const auto attribute = [&](int number) {
    int value = 0;
    check(driver, driver.cuDeviceGetAttribute(&value, number, handle), "cuDeviceGetAttribute", object);
    return value;
  };
  DeviceInfo info;
  info.ordinal = ordinal;
  std::array<char, 256> name{};
  const int room = static_cast<int>(name.size()) - 1;
  check(driver, driver.cuDeviceGetName(name.data(), room, handle), "cuDeviceGetName", object);
  info.name = name.data();
  info.compute_capability = {attribute(kComputeCapabilityMajor), attribute(kComputeCapabilityMinor)};
  info.multiprocessors = attribute(kMultiprocessors);
  check(driver, driver.cuDeviceTotalMem_v2(&info.total_memory_bytes, handle), "cuDeviceTotalMem_v2", object);
  check(driver, driver.cuDriverGetVersion(&info.driver_version), "cuDriverGetVersion", object);
  return info;
}

}  // namespace

std::string ComputeCapability::text() const { return std::to_string(major) + "." + std::to_string(minor); }

std::string DeviceInfo::text() const {
  return name + " (cuda:" + std::to_string(ordinal) + ", compute capability " + compute_capability.text() + ")";
}

std::vector<DeviceInfo> list_devices(const Driver& driver) {
  std::vector<DeviceInfo> devices;
  const int count = count_devices(driver);
  for (int ordinal = 0; ordinal < count; ++ordinal) devices.push_back(ask(driver, ordinal));
  return devices;
}

Device::Device(SharedDriver driver, int ordinal) : driver_(std::move(driver)) {
  const int count = count_devices(*driver_);
  if (ordinal < 0 || ordinal >= count) {
    throw BackendError("there is no device cuda:" + std::to_string(ordinal) + ": the driver shows " +
                       std::to_string(count) + " GPU(s), counted from cuda:0; CUDA_VISIBLE_DEVICES may hide some");
  }
  info_ = ask(*driver_, ordinal);
  handle_ = device_handle(*driver_, ordinal);
  const std::string what = "device cuda:" + std::to_string(ordinal);  // before there is something to release
  check(*driver_, driver_->cuDevicePrimaryCtxRetain(&context_, handle_), "cuDevicePrimaryCtxRetain", what);
}

Device::~Device() { driver_->cuDevicePrimaryCtxRelease_v2(handle_); }

CaptureRuleHere::CaptureRuleHere(const Driver& driver, CaptureRule rule) noexcept
    : driver_(driver), before_(static_cast<int>(rule)) {
  if (driver_.cuThreadExchangeStreamCaptureMode(&before_) != kSuccess) before_ = kUnknown;
}

CaptureRuleHere::~CaptureRuleHere() {
  if (before_ != kUnknown) driver_.cuThreadExchangeStreamCaptureMode(&before_);
}

CurrentDevice::CurrentDevice(const Device& device)
    : driver_(device.driver()), outside_captures_(driver_, CaptureRule::none), pushed_(true) {
  const ResultCode code = driver_.cuCtxPushCurrent_v2(device.context());
  if (code != kSuccess) throw_driver_error(driver_, code, "cuCtxPushCurrent_v2", device.info().text());
}

CurrentDevice::CurrentDevice(const Device& device, std::nothrow_t) noexcept
    : driver_(device.driver()),
      outside_captures_(driver_, CaptureRule::none),
      pushed_(driver_.cuCtxPushCurrent_v2(device.context()) == kSuccess) {}

CurrentDevice::~CurrentDevice() {
  ContextHandle popped = nullptr;
  if (pushed_) driver_.cuCtxPopCurrent_v2(&popped);
}

}  // namespace rfseg::cuda
