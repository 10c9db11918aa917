// How many cores a network is given: those that the process may run on.
#include "doctest.h"

#include "host/processors.hpp"

#include <sched.h>

TEST_CASE("physical cores: they are those that the process may run on") {
  cpu_set_t before;
  REQUIRE(sched_getaffinity(0, sizeof before, &before) == 0);
  CHECK(rfseg::host::physical_cores() >= 1);
  CHECK(rfseg::host::physical_cores() <= CPU_COUNT(&before));
  int cpu = 0;
  while (!CPU_ISSET(cpu, &before)) ++cpu;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
  CHECK(rfseg::host::physical_cores() == 1);
  REQUIRE(sched_setaffinity(0, sizeof before, &before) == 0);
}
