// Threads that take jobs: each once and in order, failures to whoever waits.
#include "doctest.h"
#include "host/worker_pool.hpp"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

using rfseg::host::WorkerPool;

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
