#include "pipeline/whole_life.hpp"

#include "stand_ins/failing_memory.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <optional>

namespace stand_in {

using namespace rfseg;

Sent::Sent(const GpuStand& stand) : memory(stand.device, frames[2].bytes.size(), "a frame") {
  on_device = frames[2].at(reinterpret_cast<void*>(memory.address()));
  on_device.memory = MemoryKind::device;
}

namespace {

/// True when `step` threw nothing.
template <class Step>
bool attempt(Outcome& outcome, const Step& step) {
  try {
    step();
    ++outcome.right;
    return true;
  } catch (const Error& error) {
    const OwnMemory own;
    outcome.failures.emplace_back(error.what());
  } catch (const std::bad_alloc& error) {
    const OwnMemory own;
    outcome.failures.emplace_back(error.what());
  }
  return false;
}

}  // namespace

int fault_step() {
  const char* const said = std::getenv("RFSEG_FAULT_STEP");
  return said == nullptr ? 1 : std::max(1, std::atoi(said));
}

Outcome whole_life(GpuStand& stand, const Sent& sent) {
  Outcome outcome;
  const auto expect = [&](const Result& result, int frame) {
    stand.expect_equal(result, stand.expected(sent.frames[frame].view));
  };
  std::optional<Segmenter> segmenter;
  if (!attempt(outcome, [&] { segmenter.emplace(stand.segmenter(2)); })) return outcome;
  outcome.right = 0;
  Ticket first, second;
  const bool first_sent = attempt(outcome, [&] { first = segmenter->submit(sent.frames[0].view); });
  const bool second_sent = attempt(outcome, [&] { second = segmenter->submit(sent.frames[1].view); });
  outcome.right = 0;
  if (first_sent) attempt(outcome, [&] { expect(first.take(), 0); });
  if (second_sent) attempt(outcome, [&] { expect(second.take(), 1); });
  attempt(outcome, [&] {
    ImageView view = sent.on_device;
    view.producer_stream = segmenter->frame_stream();
    NetworkTensors tensors;
    const Result result = segmenter->infer(view, {}, &tensors);
    stand.expect_tensors(tensors, stand.tensors(sent.frames[2].view));
    expect(result, 2);
  });
  attempt(outcome, [&] {
    const std::vector<Result> results = segmenter->infer({sent.frames[1].view, sent.frames[0].view});
    expect(results.at(0), 1);
    expect(results.at(1), 0);
  });
  attempt(outcome, [&] { segmenter->submit(sent.frames[0].view); });
  return outcome;
}

}  // namespace stand_in
