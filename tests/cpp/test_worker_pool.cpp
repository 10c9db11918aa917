// Threads that share work: each job once, failures to whoever waits, and nobody waits for a busy thread.
#include "doctest.h"
#include "pipeline/parallel_for.hpp"
#include "pipeline/worker_pool.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using rfseg::pipeline::parallel_for;
using rfseg::pipeline::WorkerPool;

TEST_CASE("worker pool: one thread keeps the order, and the pool ends what was queued") {
  std::vector<int> order;
  {
    WorkerPool pool(1);
    CHECK(pool.threads() == 1);
    for (int i = 0; i < 200; ++i) pool.enqueue([&order, i] { order.push_back(i); });
  }
  REQUIRE(order.size() == 200);
  for (int i = 0; i < 200; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("worker pool: a failure reaches its own future and no other") {
  WorkerPool pool(2);
  std::future<void> bad = pool.enqueue([] { throw std::runtime_error("bad"); });
  std::future<void> good = pool.enqueue([] {});
  CHECK_THROWS_WITH_AS(bad.get(), "bad", std::runtime_error);
  CHECK_NOTHROW(good.get());
  CHECK_NOTHROW(pool.enqueue([] {}).get());  // the threads live on
}

TEST_CASE("worker pool: threads that look out take jobs as sleeping ones do") {
  for (const int patience_us : {0, 300}) {
    WorkerPool pool(2, std::chrono::microseconds(patience_us));
    std::atomic<int> calls{0};
    for (int round = 0; round < 30; ++round) {
      std::this_thread::sleep_for(std::chrono::microseconds(20 * round));  // before, around and after the patience
      pool.enqueue([&calls] { ++calls; }).get();
      CHECK(calls == round + 1);
    }
  }
}

TEST_CASE("worker pool: as many jobs run at once as there are threads") {
  WorkerPool pool(3);
  std::promise<void> open;
  const std::shared_future<void> opened = open.get_future().share();
  std::atomic<int> inside{0};
  std::vector<std::future<void>> jobs;
  for (int i = 0; i < 4; ++i) {
    jobs.push_back(pool.enqueue([&inside, opened] {
      ++inside;
      opened.wait();
    }));
  }
  while (inside < 3) std::this_thread::yield();
  CHECK(jobs[3].wait_for(std::chrono::milliseconds(20)) == std::future_status::timeout);
  CHECK(inside == 3);
  open.set_value();
  for (std::future<void>& job : jobs) job.get();
  CHECK(inside == 4);
}

TEST_CASE("parallel for: every index once, whatever the numbers") {
  for (const int threads : {1, 3}) {
    WorkerPool pool(threads);
    for (const int count : {0, 1, 2, 7, 1000}) {
      std::vector<int> seen(static_cast<std::size_t>(count));
      for (int round = 1; round <= 20; ++round) {
        parallel_for(pool, count, [&seen](int index) { ++seen[static_cast<std::size_t>(index)]; });
        for (const int times : seen) REQUIRE(times == round);
      }
    }
  }
}

TEST_CASE("parallel for: the rest is done although a call throws, and the first failure arrives") {
  WorkerPool pool(2);
  std::atomic<int> calls{0};
  const auto work = [&calls](int index) {
    ++calls;
    if (index % 10 == 3) throw std::runtime_error("index " + std::to_string(index));
  };
  CHECK_THROWS_WITH_AS(parallel_for(pool, 100, work), doctest::Contains("index "), std::runtime_error);
  CHECK(calls == 100);
  CHECK_THROWS_WITH_AS(parallel_for(pool, 4, work), "index 3", std::runtime_error);
  parallel_for(pool, 3, work);
  CHECK(calls == 107);
}

TEST_CASE("parallel for: does not wait for threads that are busy elsewhere") {
  WorkerPool pool(2);
  std::promise<void> open;
  const std::shared_future<void> opened = open.get_future().share();
  for (int i = 0; i < 2; ++i) pool.enqueue([opened] { opened.wait(); });
  int calls = 0;
  parallel_for(pool, 50, [&calls](int) { ++calls; });  // on this thread alone, or it would never return
  CHECK(calls == 50);
  open.set_value();
}

TEST_CASE("parallel for: several callers share a pool") {
  WorkerPool crew(2), callers(4);
  std::atomic<int> sum{0};
  std::vector<std::future<void>> done;
  for (int caller = 0; caller < 40; ++caller) {
    done.push_back(callers.enqueue([&] {
      auto local = std::make_unique<std::atomic<int>>(0);  // gone when the call returns: no late thread may touch it
      parallel_for(crew, 25, [&local](int index) { *local += index; });
      sum += *local;
    }));
  }
  for (std::future<void>& one : done) one.get();
  CHECK(sum == 40 * 300);
}
