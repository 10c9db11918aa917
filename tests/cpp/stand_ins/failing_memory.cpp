#include "stand_ins/failing_memory.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace stand_in {

namespace {

std::atomic<bool> counting{false};
std::atomic<long> count{0}, fails_at{0};
thread_local int own = 0;

}  // namespace

FailingMemory::FailingMemory(long nth) {
  count = 0;
  fails_at = nth;
  counting = true;
}
FailingMemory::~FailingMemory() { counting = false; }
long FailingMemory::calls() { return count; }

OwnMemory::OwnMemory() { ++own; }
OwnMemory::~OwnMemory() { --own; }

}  // namespace stand_in

// Every form, since sanitizers have their own of those that are left out, which must not meet these.
void* operator new(std::size_t bytes) {
  using namespace stand_in;
  if (counting.load(std::memory_order_relaxed) && own == 0 && ++count == fails_at) throw std::bad_alloc();
  void* const memory = std::malloc(bytes > 0 ? bytes : 1);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept try {
  return operator new(bytes);
} catch (const std::bad_alloc&) {
  return nullptr;
}
void* operator new[](std::size_t bytes) { return operator new(bytes); }
void* operator new[](std::size_t bytes, const std::nothrow_t& nothrow) noexcept { return operator new(bytes, nothrow); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
