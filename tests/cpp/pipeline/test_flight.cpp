// One frame's states: who finishes it, who is told, and what a ticket says when.
#include "doctest.h"
#include "pipeline/flight.hpp"

#include <rfseg/error.hpp>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace rfseg;
using pipeline::Flight;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<Flight> flight() { return std::make_shared<Flight>(std::make_shared<host::Rhythm>()); }

Result result_of(int width) {
  Result result;
  result.image_size = {1, width};
  return result;
}

}  // namespace

TEST_CASE("flight: answered, finished once by whoever comes first, taken once") {
  for (int round = 0; round < 200; ++round) {
    const auto frame = flight();
    std::atomic<int> finished{0}, told{0};
    frame->when_ready([&] { ++told; });
    frame->when_ready([&] { ++told; });
    CHECK_FALSE(frame->wait_until(Flight::Clock::now()));
    CHECK(frame->begin());
    CHECK_FALSE(frame->begin());
    CHECK_FALSE(frame->cancel());
    if (round % 3 == 0) frame->expect_at(Flight::Clock::now() + 300us);
    std::vector<std::thread> threads;
    std::atomic<int> arrived{0};
    for (int i = 0; i < 2; ++i)
      threads.emplace_back([&] { arrived += frame->wait_until(Flight::Clock::now() + 1h) ? 1 : 0; });
    threads.emplace_back([&] { frame->finish_unless_claimed(); });
    frame->answer([&] {
      ++finished;
      return result_of(7);
    });
    frame->finish_unless_claimed();
    for (std::thread& thread : threads) thread.join();
    CHECK(finished == 1);
    CHECK(told == 2);
    CHECK(arrived == 2);
    CHECK(frame->ready());
    frame->when_ready([&] { ++told; });
    CHECK(told == 3);
    CHECK_FALSE(frame->taken());
    CHECK(frame->take().image_size.width == 7);
    CHECK(frame->taken());
    CHECK_THROWS_WITH_AS(frame->take(), doctest::Contains("taken before"), InputError);
  }
}

TEST_CASE("flight: cancelled before it begins, and never afterwards") {
  const auto frame = flight();
  CHECK(frame->cancel());
  CHECK_FALSE(frame->cancel());
  CHECK(frame->ready());
  CHECK_FALSE(frame->begin());
  CHECK_THROWS_WITH_AS(frame->take(), doctest::Contains("was cancelled"), InputError);
}

TEST_CASE("flight: fails before it is answered, and while it is finished") {
  const auto before = flight();
  CHECK(before->begin());
  before->fail(std::make_exception_ptr(std::runtime_error("the device")));
  CHECK_THROWS_WITH_AS(before->take(), "the device", std::runtime_error);
  const auto during = flight();
  CHECK(during->begin());
  during->answer([]() -> Result { throw std::runtime_error("the answer"); });
  CHECK_THROWS_WITH_AS(during->take(), "the answer", std::runtime_error);
  CHECK(during->taken());
}
