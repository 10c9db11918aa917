// Tickets as callers have them: a flight, asked.
#include <rfseg/error.hpp>
#include <rfseg/ticket.hpp>

#include "pipeline/flight.hpp"

#include <algorithm>
#include <utility>

namespace rfseg {

namespace {

void expect_valid(const Ticket& ticket) {
  if (!ticket.valid()) throw InputError("this ticket is of no frame: submit() gives one out");
}

}  // namespace

bool Ticket::ready() const {
  expect_valid(*this);
  return flight_->ready();
}

bool Ticket::wait(std::chrono::nanoseconds timeout) const {
  expect_valid(*this);
  const auto now = pipeline::Flight::Clock::now();
  const auto longest = pipeline::Flight::Clock::time_point::max() - now;
  return flight_->wait_until(now + std::min<std::chrono::nanoseconds>(timeout, longest));
}

bool Ticket::cancel() const {
  expect_valid(*this);
  return flight_->cancel();
}

Result Ticket::take() const {
  expect_valid(*this);
  return flight_->take();
}

void Ticket::when_ready(std::function<void()> done) const {
  expect_valid(*this);
  flight_->when_ready(std::move(done));
}

}  // namespace rfseg
