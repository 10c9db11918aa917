// Who hurries, and how much of the machine the process may use.
#include "doctest.h"
#include "host/processors.hpp"
#include "host/rhythm.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

using rfseg::host::cgroup_quota;
namespace fs = std::filesystem;

TEST_CASE("rhythm: frames that follow at once are hurried, frames that come now and then are not") {
  rfseg::host::Rhythm rhythm;
  CHECK_FALSE(rhythm.hurried());
  const auto send = [&rhythm](std::chrono::milliseconds pause) {
    std::this_thread::sleep_for(pause);
    rhythm.note_arrival();
    rhythm.note_turn();
  };
  // A busy machine may hold this thread up between two of them: so one row without a gap among many is enough.
  bool hurried = false;
  for (int i = 0; i < 10000 && !hurried; ++i) {
    send(std::chrono::milliseconds(0));
    hurried = rhythm.hurried();
  }
  CHECK(hurried);
  for (int i = 0; i < 8; ++i) send(std::chrono::milliseconds(1));
  CHECK_FALSE(rhythm.hurried());
}

TEST_CASE("processors: the least quota on the way up counts, of either kind of cgroup") {
  std::string pattern = (fs::temp_directory_path() / "rfseg-cgroup-XXXXXX").string();
  const fs::path root = mkdtemp(pattern.data());
  const auto write = [&root](const std::string& file, const std::string& text) {
    fs::create_directories((root / file).parent_path());
    std::ofstream(root / file) << text;
  };
  CHECK(cgroup_quota(root, "") == 0);
  CHECK(cgroup_quota(root, "nonsense\n0::/a\n") == 0);
  write("a/b/cpu.max", "max 100000\n");
  CHECK(cgroup_quota(root, "0::/a/b\n") == 0);
  write("a/cpu.max", "150000 100000\n");
  CHECK(cgroup_quota(root, "0::/a/b\n") == 1.5);
  write("cpu.max", "400000 100000\n");
  CHECK(cgroup_quota(root, "0::/a/b\n") == 1.5);
  CHECK(cgroup_quota(root, "0::/c\n") == 4);
  write("cpu/x/cpu.cfs_quota_us", "50000\n");
  write("cpu/x/cpu.cfs_period_us", "100000\n");
  CHECK(cgroup_quota(root, "4:memory:/x\n3:cpuacct,cpu:/x\n") == 0.5);
  CHECK(cgroup_quota(root, "4:memory:/x\n") == 0);
  fs::remove_all(root);
}
