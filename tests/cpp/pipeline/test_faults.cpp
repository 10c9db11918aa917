// What fails by its number: every call of TensorRT, every call of ONNX Runtime, every allocation, in every life of a
// Segmenter. The error says what failed, the frames around it are right, and nothing is left behind.
#include "pipeline/whole_life.hpp"
#include "stand_ins/failing_memory.hpp"

#include <rfseg/error.hpp>

#include <dlfcn.h>

#include <set>

using namespace rfseg;
using stand_in::contains;
using stand_in::FailingMemory;
using stand_in::GpuStand;
using stand_in::kSteps;
using stand_in::Outcome;
using stand_in::OwnMemory;
using stand_in::Sent;

namespace {

/// An engine that leaves open what it can, so that all of TensorRT is asked.
void open_sizes(GpuStand& stand) {
  const std::int64_t h = stand.shape.network.height, w = stand.shape.network.width, q = stand.shape.queries;
  stand.tensorrt.set_tensors({{"input", true, 0, {-1, 3, h, w}},
                              {"dets", false, 0, {-1, q, 4}},
                              {"labels", false, 0, {-1, q, stand.shape.columns}},
                              {"masks", false, 0, {-1, q, -1, -1}, 0, 0, {-1, q, 6, 9}}});
  stand.tensorrt.set_profile(1, 2, 2);
}

void check_outcome(const Outcome& outcome, int most_failures) {
  const int failed = static_cast<int>(outcome.failures.size());
  CHECK(failed <= most_failures);
  CHECK((outcome.right + failed == kSteps || outcome.right == 0));
}

/// The ONNX Runtime stand-in's control panel.
template <class Function>
Function* control(const char* name) {
  void* const library = dlopen(RFSEG_TEST_STAND_IN, RTLD_NOW);
  REQUIRE(library != nullptr);
  void* const symbol = dlsym(library, name);
  REQUIRE(symbol != nullptr);
  return reinterpret_cast<Function*>(symbol);
}

/// Opens on a CPU, submits, infers two frames, and ends with one in flight. What went wrong, in order.
std::vector<std::string> cpu_life(const stand_in::Frame& frame) {
  std::vector<std::string> failures;
  const auto attempt = [&](const auto& step) {
    try {
      step();
    } catch (const Error& error) {
      const OwnMemory own;
      failures.emplace_back(error.what());
    } catch (const std::bad_alloc& error) {
      const OwnMemory own;
      failures.emplace_back(error.what());
    }
  };
  const auto expect_right = [](const Result& result) {  // the stand-in answers zeros: a score of 0.5 for every query
    const OwnMemory own;
    CHECK(result.confidence == std::vector<float>(5, 0.5F));
    CHECK(result.masks.size() == 5);
  };
  attempt([&] {
    Options options;
    options.device = "cpu";
    options.onnxruntime = RFSEG_TEST_STAND_IN;
    options.threshold = 0.25F;
    options.threads = 1;
    Segmenter segmenter(std::string(RFSEG_TEST_ROOT) + "/tests/data/models/plain.onnx", options);
    attempt([&] {
      const Ticket ticket = segmenter.submit(frame.view);
      expect_right(ticket.take());
    });
    attempt([&] {
      for (const Result& result : segmenter.infer({frame.view, frame.view})) expect_right(result);
    });
    attempt([&] { expect_right(segmenter.infer(frame.view)); });
    attempt([&] { segmenter.submit(frame.view); });
  });
  return failures;
}

}  // namespace

TEST_CASE("faults: every call of TensorRT fails once") {
  std::map<std::string, int> calls;
  {
    GpuStand stand;
    open_sizes(stand);
    const Outcome clean = whole_life(stand, Sent(stand));
    REQUIRE(clean.right == kSteps);
    calls = stand.tensorrt.calls();
  }
  CHECK(calls.size() == 13);
  int lives = 0;
  for (const auto& [method, count] : calls) {
    for (int nth = 1; nth <= count; ++nth, ++lives) {
      CAPTURE(method);
      CAPTURE(nth);
      GpuStand stand;
      open_sizes(stand);
      const Sent sent(stand);
      stand.tensorrt.fail(method, nth);
      const Outcome outcome = whole_life(stand, sent);
      REQUIRE(outcome.failures.size() == 1);
      check_outcome(outcome, 1);
      const std::string& said = outcome.failures[0];
      CHECK((said.find("TensorRT") != std::string::npos || said.find("model.engine") != std::string::npos));
    }
  }
  MESSAGE(lives << " lives");
  CHECK(lives > 40);
}

TEST_CASE("faults: every call of ONNX Runtime fails once") {
  const auto fail_call = control<void(int)>("stand_in_fail_call");
  const auto live = control<int()>("stand_in_live_objects");
  const stand_in::Frame frame({20, 30}, 1);
  fail_call(0);
  REQUIRE(cpu_life(frame).empty());
  const int count = control<int()>("stand_in_calls")();
  CHECK(count > 60);
  for (int nth = 1; nth <= count; ++nth) {
    CAPTURE(nth);
    fail_call(nth);
    const std::vector<std::string> failures = cpu_life(frame);
    // The frame in flight at the end has nobody to tell.
    CHECK((failures.size() == 1 || nth > count - 5));
    for (const std::string& said : failures) {
      CHECK(contains(said, "ONNX Runtime"));
      CHECK(contains(said, "a planned failure"));
    }
    CHECK(live() == 0);
  }
  fail_call(0);
}

TEST_CASE("faults: every allocation of a life on a GPU fails once") {
  const auto life = [](long nth, Outcome& outcome) {
    GpuStand stand;
    const cuda::CurrentDevice current(*stand.device);
    const Sent sent(stand);
    const FailingMemory failing(nth);
    outcome = whole_life(stand, sent);
    return FailingMemory::calls();
  };
  Outcome outcome;
  const long count = life(0, outcome);
  REQUIRE(outcome.right == kSteps);
  CHECK(count > 500);
  long told = 0;
  std::map<std::string, int> kinds;
  for (long nth = 1; nth <= count; nth += stand_in::fault_step()) {
    CAPTURE(nth);
    life(nth, outcome);
    check_outcome(outcome, 2);  // a frame's, or of the two in a batch
    told += outcome.failures.empty() ? 0 : 1;
    for (const std::string& said : outcome.failures) ++kinds[said];
  }
  for (const auto& [said, times] : kinds) MESSAGE(times << " times: " << said);
  MESSAGE(count << " allocations, " << told << " told");
  CHECK(told > count / 2 / stand_in::fault_step());
}

TEST_CASE("faults: every allocation of a life on a CPU fails once") {
  const auto live = control<int()>("stand_in_live_objects");
  const stand_in::Frame frame({20, 30}, 1);
  const auto life = [&](long nth, std::vector<std::string>& failures) {
    const FailingMemory failing(nth);
    failures = cpu_life(frame);
    return FailingMemory::calls();
  };
  std::vector<std::string> failures;
  const long count = life(0, failures);
  REQUIRE(failures.empty());
  CHECK(count > 300);
  long told = 0;
  std::map<std::string, int> kinds;
  for (long nth = 1; nth <= count; nth += stand_in::fault_step()) {
    CAPTURE(nth);
    life(nth, failures);
    CHECK(failures.size() <= 1);
    CHECK(live() == 0);
    told += failures.empty() ? 0 : 1;
    for (const std::string& said : failures) ++kinds[said];
  }
  for (const auto& [said, times] : kinds) MESSAGE(times << " times: " << said);
  MESSAGE(count << " allocations, " << told << " told");
  CHECK(told > count / 2 / stand_in::fault_step());
}
