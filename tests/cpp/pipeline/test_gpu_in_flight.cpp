// Several frames on a GPU at once, and the Segmenter's rules for them.
#include "pipeline/gpu_stand.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <random>
#include <thread>

using namespace rfseg;
using stand_in::contains;
using stand_in::Frame;
using stand_in::GpuStand;
using stand_in::thrown;

namespace {

std::vector<Frame> frames(int count) {
  constexpr ImageSize kSizes[] = {{33, 50}, {33, 50}, {60, 30}, {16, 24}, {33, 50}, {700, 301}, {25, 25}};
  constexpr int kCount = std::size(kSizes);
  std::vector<Frame> made;
  for (int i = 0; i < count; ++i) made.emplace_back(kSizes[i % kCount], 1000 + static_cast<std::uint64_t>(i));
  return made;
}

}  // namespace

TEST_CASE("gpu in flight: every result belongs to its frame, in whatever order it is taken") {
  for (int slots = 1; slots <= 4; ++slots) {
    for (const int batch : {1, 0}) {
      CAPTURE(slots);
      CAPTURE(batch);
      stand_in::NetworkShape shape;
      shape.batch = batch;
      GpuStand stand(shape);
      stand.settings.slots = slots;
      stand.settings.lanes = std::min(slots, 2);
      stand.settings.outlines = OutlineMode::external;
      const auto pipeline = stand.pipeline();
      const std::vector<Frame> sent = frames(20);
      std::vector<std::shared_ptr<pipeline::Flight>> flights;
      std::vector<std::shared_ptr<NetworkTensors>> tensors;
      for (const Frame& frame : sent) {
        tensors.push_back(flights.size() % 3 == 0 ? std::make_shared<NetworkTensors>() : nullptr);
        flights.push_back(stand.start(*pipeline, frame.view, tensors.back()));
      }
      std::vector<std::size_t> order(sent.size());
      for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
      std::shuffle(order.begin(), order.end(), std::mt19937(static_cast<unsigned>(slots)));
      for (const std::size_t i : order) {
        const Result right = stand.expected(sent[i].view), result = flights[i]->take();
        stand.expect_equal(result, right);
        if (tensors[i]) stand.expect_tensors(*tensors[i], stand.tensors(sent[i].view));
        for (int k = 0; k < right.size(); ++k) CHECK(result.masks.polygons(k).size() == right.masks.polygons(k).size());
      }
      CHECK(stand.instances > 20);
      CHECK(pipeline->counters().frames == 20);
      for (const Frame& frame : sent) stand.start(*pipeline, frame.view);  // the destructor waits for these
    }
  }
}

TEST_CASE("gpu in flight: threads that submit, infer and cancel at once get what is theirs") {
  stand_in::NetworkShape shape;
  shape.batch = 0;
  GpuStand stand(shape);
  stand.settings.slots = 5;
  stand.settings.lanes = 2;
  const auto pipeline = stand.pipeline();
  const std::vector<Frame> sent = frames(14);
  std::vector<Result> right;
  for (const Frame& frame : sent) right.push_back(stand.expected(frame.view));
  std::atomic<int> wrong{0}, cancelled{0}, compared{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int round = 0; round < 40; ++round) {
        const std::size_t a = random() % sent.size(), b = random() % sent.size();
        const auto first = stand.start(*pipeline, sent[a].view), second = stand.start(*pipeline, sent[b].view);
        const bool stopped = random() % 4 == 0 && second->cancel();
        cancelled += stopped ? 1 : 0;
        for (const auto& [flight, i] : {std::pair(first, a), std::pair(second, b)}) {
          if (flight == second && stopped) continue;
          const Result result = flight->take();
          const bool same = result.class_id == right[i].class_id && result.image_size == right[i].image_size &&
                            result.masks.columns().runs == right[i].masks.columns().runs;
          wrong += same ? 0 : 1;
          compared += result.size();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(compared > 100);
  CHECK(pipeline->counters().frames + cancelled == 4 * 40 * 2);
}

TEST_CASE("gpu in flight: the device is current for who asks, and not longer") {
  GpuStand stand;
  const Segmenter segmenter = stand.segmenter(1);
  const int outside = stand.control.context_depth();
  int inside = 0;
  segmenter.on_device([&] { inside = stand.control.context_depth(); });
  CHECK(inside == outside + 1);
  CHECK(stand.control.context_depth() == outside);
  CHECK_THROWS_AS(segmenter.on_device([] { throw InputError("a producer's"); }), InputError);
  CHECK(stand.control.context_depth() == outside);
  CHECK(stand.control.capture_mode() == 0);
}

TEST_CASE("gpu in flight: the segmenter's rules") {
  GpuStand stand;
  Segmenter segmenter = stand.segmenter(3);
  CHECK(segmenter.info().device == "cuda:0");
  CHECK(segmenter.info().backend == "tensorrt");
  CHECK(segmenter.info().library_version == "10.6.0");
  CHECK(segmenter.info().slots == 3);
  CHECK(segmenter.info().lanes == 3);
  CHECK(segmenter.info().max_batch == 1);
  CHECK(segmenter.info().gpu == "Stand-in 0 (cuda:0, compute capability 9.0)");
  CHECK(segmenter.frame_stream() != 0);
  const std::vector<Frame> sent = frames(6);
  CHECK(contains(thrown<InputError>([&] { segmenter.collect(); }), "nothing was submitted"));
  std::vector<Ticket> tickets;
  for (const Frame& frame : sent)
    tickets.push_back(segmenter.submit(frame.view, {}, "tag " + std::to_string(tickets.size())));
  CHECK(segmenter.pending() == 6);
  CHECK(tickets[4].tag() == "tag 4");
  stand.expect_equal(segmenter.infer(sent[3].view), stand.expected(sent[3].view));  // overtakes nobody
  stand.expect_equal(segmenter.take(tickets[1]), stand.expected(sent[1].view));
  CHECK(segmenter.ready(tickets[1]));
  CHECK(segmenter.pending() == 5);
  for (const std::size_t i : {0U, 2U, 3U, 4U, 5U}) {
    const Result result = segmenter.collect();
    stand.expect_equal(result, stand.expected(sent[i].view));
    CHECK(result.names->at(1) == "class 1");
  }
  CHECK(segmenter.pending() == 0);
  ImageView empty = sent[0].view;
  empty.height = 0;
  CHECK_THROWS_AS(segmenter.submit(empty), InputError);
  NetworkTensors tensors;
  stand.expect_equal(segmenter.infer(sent[3].view, {}, &tensors), stand.expected(sent[3].view));
  stand.expect_tensors(tensors, stand.tensors(sent[3].view));
  stand.expect_equal(segmenter.postprocess(tensors, {sent[3].view.height, sent[3].view.width}),
                     stand.expected(sent[3].view));
  for (int i = 0; i < 2; ++i) segmenter.submit(sent[static_cast<std::size_t>(i)].view);
  segmenter.discard_pending();
  CHECK(segmenter.pending() == 0);
  CHECK_THROWS_AS(Ticket().ready(), InputError);
  CHECK(stand.instances > 5);
}

TEST_CASE("gpu in flight: thresholds and classes of one frame") {
  GpuStand stand;
  Segmenter segmenter = stand.segmenter(2);
  const Frame frame({33, 50}, 21);
  const std::int64_t made = segmenter.counters().device_allocations;
  const Result all = segmenter.infer(frame.view);
  FrameOptions none;
  none.threshold = 1.0F;
  CHECK(segmenter.infer(frame.view, none).size() == 0);
  none.class_thresholds = {{1, 0.0F}};
  const Result ones = segmenter.infer(frame.view, none);
  CHECK(ones.size() > 0);
  CHECK(std::all_of(ones.class_id.begin(), ones.class_id.end(), [](int id) { return id == 1; }));
  FrameOptions some;
  some.classes = std::vector<ClassKey>{std::string("class 2"), 4};
  const Result twos = segmenter.infer(frame.view, some);
  const auto wanted = [](int id) { return id == 2 || id == 4; };
  CHECK(std::all_of(twos.class_id.begin(), twos.class_id.end(), wanted));
  CHECK(twos.size() == std::count_if(all.class_id.begin(), all.class_id.end(), wanted));
  some.classes = std::vector<ClassKey>{std::string("nobody")};
  CHECK(contains(thrown<InputError>([&] { segmenter.infer(frame.view, some); }), "class 'nobody', which the model"));
  none.threshold = 2.0F;
  CHECK(contains(thrown<InputError>([&] { segmenter.infer(frame.view, none); }), "must be in 0..1"));
  stand.expect_equal(segmenter.infer(frame.view), stand.expected(frame.view));
  CHECK(segmenter.counters().captures == segmenter.info().lanes);
  CHECK(segmenter.counters().device_allocations - made < 10);  // of the one place's buffers
}

TEST_CASE("gpu in flight: the network alone is run as often as asked") {
  stand_in::NetworkShape shape;
  shape.batch = 0;
  GpuStand stand(shape);
  Segmenter segmenter = stand.segmenter(40);
  CHECK(segmenter.info().lanes == 2);
  CHECK(segmenter.info().max_batch == 8);
  const int runs = stand.network_runs;
  CHECK(segmenter.network_ms(5, 2) >= 0);
  CHECK(stand.network_runs == runs + 2 + 4 * 2 + 5);  // once plainly in each lane
  const int images = stand.network_images;
  segmenter.network_ms(3, 1, 2);
  CHECK(stand.network_images == images + 2 * (1 + 4 + 3));
  CHECK_THROWS_AS(segmenter.network_ms(5, 3), InputError);
  CHECK_THROWS_AS(segmenter.network_ms(0), InputError);
  CHECK_THROWS_AS(segmenter.network_ms(1, 1, 9), InputError);
  const Frame frame({33, 50}, 3);
  stand.expect_equal(segmenter.infer(frame.view), stand.expected(frame.view));
}

TEST_CASE("gpu in flight: results, tickets and frame buffers outlive the segmenter") {
  GpuStand stand;
  std::optional<Segmenter> segmenter(stand.segmenter(1));
  const Frame frame({33, 50}, 4);
  const Result right = stand.expected(frame.view);
  const FrameBuffer buffer = segmenter->frame_buffer({33, 50});
  std::copy(frame.bytes.begin(), frame.bytes.end(), buffer.data());
  const Result result = segmenter->infer(buffer.view(PixelFormat::bgr8));
  const Ticket ticket = segmenter->submit(frame.view);
  segmenter.reset();
  stand.expect_equal(result, right);
  stand.expect_equal(ticket.take(), right);
  CHECK(std::equal(frame.bytes.begin(), frame.bytes.end(), buffer.data()));
  CHECK(result.names->at(0) == "class 0");
}

TEST_CASE("gpu in flight: several GPUs share the frames, and frames in device memory stay on theirs") {
  stand_in::NetworkShape shape;
  shape.batch = 0;
  GpuStand stand(shape);
  stand.control.set_devices({{9, 0}, {9, 0}});
  Segmenter segmenter = stand.segmenter(8, "cuda:all");
  CHECK(segmenter.info().device == "cuda:0,cuda:1");
  CHECK(segmenter.info().gpu_ordinals == std::vector<int>{0, 1});
  const std::vector<Frame> sent = frames(60);
  stand.control.keep_busy(2000);
  std::vector<Ticket> tickets;
  for (const Frame& frame : sent) {
    if (tickets.size() == 12) stand.control.keep_busy(0);
    tickets.push_back(segmenter.submit(frame.view));
  }
  for (std::size_t i = 0; i < sent.size(); ++i) stand.expect_equal(tickets[i].take(), stand.expected(sent[i].view));
  CHECK(segmenter.counters().frames == 60);
  CHECK(segmenter.frame_stream(0) != segmenter.frame_stream(1));
  CHECK(contains(thrown<InputError>([&] { stand.segmenter(1, "cuda:0,cuda:0"); }), "names a GPU twice"));
  CHECK(contains(thrown<BackendError>([&] { stand.segmenter(1, "cuda:0,cuda:2"); }), "there is no device cuda:2"));
}
