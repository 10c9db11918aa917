// Streams and events. Knows nothing of what is queued.
#include "cuda/stream.hpp"

#include "cuda/check.hpp"

#include <utility>

namespace rfseg::cuda {

namespace {

constexpr ResultCode kNotReady = 600;   // CUDA_ERROR_NOT_READY
constexpr unsigned kNonBlocking = 1;    // CU_STREAM_NON_BLOCKING
constexpr unsigned kDisableTiming = 2;  // CU_EVENT_DISABLE_TIMING

UniqueStream create_stream(SharedDevice device, const std::string& name, Priority priority) {
  const CurrentDevice current(*device);
  const Driver& driver = device->driver();
  int least = 0, greatest = 0;
  check(driver, driver.cuCtxGetStreamPriorityRange(&least, &greatest), "cuCtxGetStreamPriorityRange", name);
  StreamHandle handle = nullptr;
  const ResultCode code =
      driver.cuStreamCreateWithPriority(&handle, kNonBlocking, priority == Priority::high ? greatest : least);
  check(driver, code, "cuStreamCreateWithPriority", name);
  return UniqueStream(handle, {std::move(device)});
}

UniqueEvent create_event(SharedDevice device, const std::string& name, Timing timing) {
  const CurrentDevice current(*device);
  EventHandle handle = nullptr;
  const unsigned flags = timing == Timing::on ? 0 : kDisableTiming;
  check(device->driver(), device->driver().cuEventCreate(&handle, flags), "cuEventCreate", name);
  return UniqueEvent(handle, {std::move(device)});
}

}  // namespace

Event::Event(SharedDevice device, std::string name, Timing timing)
    : name_(std::move(name)), handle_(create_event(std::move(device), name_, timing)) {}

void Event::enqueue_record(StreamHandle stream) const {
  check(driver(), driver().cuEventRecord(get(), stream), "cuEventRecord", name_);
}

bool Event::reached() const {
  const ResultCode code = driver().cuEventQuery(get());
  if (code == kNotReady) return false;
  check(driver(), code, "cuEventQuery", name_);
  return true;
}

void Event::wait_reached() const { check(driver(), driver().cuEventSynchronize(get()), "cuEventSynchronize", name_); }

float elapsed_ms(const Event& start, const Event& end) {
  float ms = 0;
  const ResultCode code = start.driver().cuEventElapsedTime(&ms, start.get(), end.get());
  if (code != kSuccess)
    throw_driver_error(start.driver(), code, "cuEventElapsedTime", start.name() + " to " + end.name());
  return ms;
}

Stream::Stream(SharedDevice device, std::string name, Priority priority)
    : name_(std::move(name)), handle_(create_stream(std::move(device), name_, priority)) {}

void Stream::enqueue_wait(const Event& event) const {
  check(driver(), driver().cuStreamWaitEvent(get(), event.get(), 0), "cuStreamWaitEvent", event.name());
}

void Stream::wait_idle() const { check(driver(), driver().cuStreamSynchronize(get()), "cuStreamSynchronize", name_); }

}  // namespace rfseg::cuda
