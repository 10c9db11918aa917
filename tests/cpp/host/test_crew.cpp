// Threads that share a caller's work: each index once, results passed on in order, failures to the caller, and nobody
// waits for a busy thread.
#include "doctest.h"
#include "host/crew.hpp"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using rfseg::host::Crew;

namespace {

constexpr std::chrono::microseconds kNone(0), kShort(300);
const rfseg::host::Rhythm kRhythm;  // nobody hurries

std::vector<int> first(int count) {
  std::vector<int> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

}  // namespace

TEST_CASE("crew: every index once, whatever the numbers") {
  for (const int threads : {1, 3}) {
    Crew crew(threads, kNone, kRhythm);
    for (const int count : {0, 1, 2, 7, 1000}) {
      std::vector<int> seen(static_cast<std::size_t>(count));
      for (int round = 1; round <= 20; ++round) {
        crew.split(count, [&seen](int index) { ++seen[static_cast<std::size_t>(index)]; });
        for (const int times : seen) REQUIRE(times == round);
      }
    }
  }
}

TEST_CASE("crew: threads that look out help as sleeping ones do") {
  for (const std::chrono::microseconds patience : {kNone, kShort}) {
    Crew crew(2, patience, kRhythm);
    for (int round = 0; round < 30; ++round) {
      std::this_thread::sleep_for(std::chrono::microseconds(20 * round));  // before, around and after the patience
      std::atomic<int> inside{0};
      const auto meet = [&inside](int) {  // returns only when two threads are in it
        ++inside;
        while (inside < 2) std::this_thread::yield();
      };
      crew.split(2, meet);
      CHECK(inside == 2);
    }
  }
}

TEST_CASE("crew: what is done is passed on in order, on the calling thread, while the rest is worked on") {
  Crew crew(3, kShort, kRhythm);
  for (const int count : {0, 1, 2, 100}) {
    std::vector<int> done(static_cast<std::size_t>(count));  // not atomic: passing on must order it
    std::vector<int> passed;
    const auto caller = std::this_thread::get_id();
    crew.split(
        count,
        [&done](int index) {
          if (index % 7 == 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
          done[static_cast<std::size_t>(index)] = index + 1;
        },
        [&](int index) {
          CHECK((std::this_thread::get_id() == caller));
          CHECK(done[static_cast<std::size_t>(index)] == index + 1);
          passed.push_back(index);
        });
    CHECK(passed == first(count));
  }
}

TEST_CASE("crew: the first index is passed on before the last is done") {
  Crew crew(1, kShort, kRhythm);
  const auto caller = std::this_thread::get_id();
  bool seen = false;
  for (int round = 0; round < 10000 && !seen; ++round) {
    std::atomic<int> inside{0};
    std::atomic<bool> passed{false};
    crew.split(
        2,
        [&](int index) {
          ++inside;
          while (inside < 2) std::this_thread::yield();  // each thread has one index
          if (index == 0 || std::this_thread::get_id() == caller) return;
          while (!passed) std::this_thread::yield();  // the helper has the last one: for ever, if nobody passes 0 on
          seen = true;
        },
        [&](int) { passed = true; });
  }
  CHECK(seen);
}

TEST_CASE("crew: the rest is done although a call throws, and the first failure arrives") {
  Crew crew(2, kNone, kRhythm);
  std::atomic<int> calls{0};
  const auto work = [&calls](int index) {
    ++calls;
    if (index % 10 == 3) throw std::runtime_error("index " + std::to_string(index));
  };
  CHECK_THROWS_WITH_AS(crew.split(100, work), doctest::Contains("index "), std::runtime_error);
  CHECK(calls == 100);
  CHECK_THROWS_WITH_AS(crew.split(4, work), "index 3", std::runtime_error);
  crew.split(3, work);
  CHECK(calls == 107);
}

TEST_CASE("crew: nothing is passed on behind a failure, be it of the work or of the passing on") {
  Crew crew(2, kShort, kRhythm);
  for (const bool work_fails : {true, false}) {
    std::atomic<int> calls{0};
    int passed = 0;
    const auto fail_at_3 = [](int index, bool fails) {
      if (fails && index == 3) throw std::runtime_error("index 3");
    };
    const auto work = [&](int index) {
      ++calls;
      fail_at_3(index, work_fails);
    };
    const auto in_order = [&](int index) {
      fail_at_3(index, !work_fails);
      ++passed;
    };
    CHECK_THROWS_WITH_AS(crew.split(50, work, in_order), "index 3", std::runtime_error);
    CHECK(calls == 50);
    CHECK(passed <= 3);
  }
}

TEST_CASE("crew: does not wait for threads that are busy elsewhere") {
  Crew crew(2, kNone, kRhythm);
  std::promise<void> open;
  const std::shared_future<void> opened = open.get_future().share();
  std::atomic<int> busy{0};
  std::thread other([&] {  // this thread and both of the crew
    crew.split(3, [&busy, opened](int) {
      ++busy;
      opened.wait();
    });
  });
  while (busy < 3) std::this_thread::yield();
  int calls = 0;
  crew.split(50, [&calls](int) { ++calls; });  // on this thread alone, or it would never return
  CHECK(calls == 50);
  open.set_value();
  other.join();
}

TEST_CASE("crew: several callers at once") {
  Crew crew(2, kShort, kRhythm);
  std::atomic<int> sum{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        auto local = std::make_unique<std::atomic<int>>(0);  // gone when the call returns: no late thread may touch it
        crew.split(25, [&local](int index) { *local += index; });
        sum += *local;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(sum == 4 * 50 * 300);
}

TEST_CASE("crew: what is posted is done, also before the end, and without threads at once") {
  for (const int threads : {0, 1, 3}) {
    std::atomic<int> done{0};
    {
      Crew crew(threads, kShort, kRhythm);
      for (int i = 0; i < 100; ++i) {
        crew.post([&crew, &done] { crew.split(3, [&done](int) { ++done; }); });
        if (threads == 0) CHECK(done == 3 * (i + 1));
      }
    }
    CHECK(done == 300);
  }
}
