// Messages from several threads: one at a time, all of them, with no lock held while they are passed on.
#include "doctest.h"
#include "host/speaker.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

using rfseg::LogLevel;
using rfseg::host::Speaker;

TEST_CASE("speaker: one message at a time, none lost, in each thread's order") {
  std::atomic<int> inside{0};
  std::vector<std::string> heard;  // not atomic: speaking in turn must order it
  Speaker speaker([&](LogLevel, const std::string& sentence) {
    CHECK(++inside == 1);
    heard.push_back(sentence);
    --inside;
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&speaker, t] {
      for (int i = 0; i < 500; ++i) speaker.say(LogLevel::info, std::to_string(t) + " " + std::to_string(1000 + i));
    });
  for (std::thread& thread : threads) thread.join();
  speaker.fall_silent();
  CHECK(heard.size() == 2000);
  for (int t = 0; t < 4; ++t) {
    std::string last;
    for (const std::string& sentence : heard) {
      if (sentence[0] != '0' + t) continue;
      CHECK(last < sentence);
      last = sentence;
    }
  }
}

TEST_CASE("speaker: a callback may speak, wait for a thread that speaks, throw, and end it") {
  std::vector<std::string> heard;
  Speaker* self = nullptr;
  Speaker speaker([&](LogLevel, const std::string& sentence) {
    heard.push_back(sentence);
    if (sentence == "first") {
      std::thread([&] { self->say(LogLevel::info, "from another thread"); }).join();  // no lock is held
      self->say(LogLevel::info, "from within");
      throw 1;
    }
  });
  self = &speaker;
  speaker.say(LogLevel::warning, "first");
  CHECK(heard == std::vector<std::string>{"first", "from another thread", "from within"});
  speaker.fall_silent();
  speaker.say(LogLevel::warning, "late");
  CHECK(heard.size() == 3);
}
