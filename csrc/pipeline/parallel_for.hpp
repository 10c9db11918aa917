// Splits one job over a pool's threads and the calling one.
#pragma once

#include "pipeline/worker_pool.hpp"

#include <functional>

namespace rfseg::pipeline {

/// Calls work(0) ... work(count - 1), each once, on the calling thread and on those of the pool that are free; returns
/// when all are done. Threads that are busy elsewhere are not waited for. Throws what a call threw first.
void parallel_for(WorkerPool& pool, int count, const std::function<void(int)>& work);

}  // namespace rfseg::pipeline
