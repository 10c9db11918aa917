#include "binding/ticket.hpp"

#include "binding/arrays.hpp"
#include "binding/gil.hpp"
#include "binding/module.hpp"

#include <rfseg/error.hpp>

#include <pybind11/stl.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace py = pybind11;

namespace rfseg::binding {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kBetweenSignals = 100ms;

/// Waits until the ticket is ready or the time is over; true when it is ready.
bool wait_interruptibly(const Ticket& ticket, std::optional<double> timeout_s) {
  const Clock::time_point begin = Clock::now();
  for (;;) {
    std::chrono::nanoseconds wait = kBetweenSignals;
    if (timeout_s) {
      const double left_s = *timeout_s - std::chrono::duration<double>(Clock::now() - begin).count();
      wait = std::chrono::nanoseconds(static_cast<std::int64_t>(std::clamp(left_s, 0.0, 0.1) * 1e9));
    }
    bool ready = false;
    {
      const Unlocked unlocked;
      ready = ticket.wait(wait);
    }
    if (ready || wait.count() == 0) return ready;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  }
}

}  // namespace

Result take_interruptibly(const Ticket& ticket) {
  wait_interruptibly(ticket, std::nullopt);
  return ticket.take();
}

void Announcements::announce(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  ready_.push_back(number);
  changed_.notify_all();
}

std::vector<std::uint64_t> Announcements::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopped_ || !ready_.empty(); });
  return std::exchange(ready_, {});
}

void Announcements::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

void register_ticket(py::module_& module) {
  py::class_<Ticket>(module, "Ticket")
      .def("ready", &Ticket::ready)
      .def("wait", &wait_interruptibly, py::arg("timeout_s") = py::none())
      .def("cancel", &Ticket::cancel)
      .def("take", [](const Ticket& ticket) { return columns_from(take_interruptibly(ticket)); });
  py::class_<Announcements, std::shared_ptr<Announcements>>(module, "Announcements")
      .def(py::init<>())
      .def("watch", [](const std::shared_ptr<Announcements>& self, const Ticket& ticket,
                       std::uint64_t number) { ticket.when_ready([self, number] { self->announce(number); }); })
      .def("next",
           [](Announcements& self) {
             const Unlocked unlocked;
             return self.next();
           })
      .def("stop", &Announcements::stop);
}

}  // namespace rfseg::binding
