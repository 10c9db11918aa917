// TensorRT through the stand-in: what it takes to run an engine, for both majors, and every way in which one is
// refused.
#include "cuda/buffer.hpp"
#include "cuda/graph.hpp"
#include "network/tensorrt_stand.hpp"

#include <rfseg/error.hpp>

#include <cstring>
#include <filesystem>
#include <optional>

using namespace rfseg;
using network::TensorRtContext;
using network::TensorRtEngine;
using stand_in::contains;
using stand_in::Misbehaviour;
using stand_in::TensorRtStand;
namespace fs = std::filesystem;

namespace {

/// Device memory for the four tensors of an engine.
struct Tensors {
  Tensors(const cuda::SharedDevice& device, const network::TensorBytes& bytes)
      : input(device, bytes.input, "input"),
        dets(device, bytes.dets, "dets"),
        labels(device, bytes.labels, "labels"),
        masks(device, bytes.masks, "masks") {}
  network::DeviceTensors addresses() const {
    return {input.address(), dets.address(), labels.address(), masks.address()};
  }
  cuda::DeviceBuffer input, dets, labels, masks;
};

}  // namespace

TEST_CASE("tensorrt: an engine runs, is captured and replayed, for both majors") {
  for (const std::int32_t version : {100600, 110100}) {
    CAPTURE(version);
    const TensorRtStand stand(version);
    const TensorRtEngine engine = stand.open();
    CHECK(engine.library_version() == (version == 100600 ? "10.6.0" : "11.1.0"));
    CHECK(fs::equivalent(engine.library_path(), RFSEG_STAND_IN_TENSORRT));
    CHECK(stand.tensorrt.version_argument() == version);
    CHECK(engine.contract().complete());
    CHECK(engine.contract().queries == 4);
    CHECK(engine.contract().columns == 5);
    CHECK(engine.contract().network_size.height == 16);
    CHECK(engine.bytes().input == 3 * 16 * 16 * 4);
    CHECK(engine.bytes().masks == 4 * 4 * 4 * 4);

    int runs = 0;
    stand.tensorrt.set_work([&](void* stream, auto work) { return stand.control.enqueue(stream, work); },
                            [&runs](const auto& address, int) {
                              std::memcpy(address.at("dets"), address.at("input"), 64);
                              ++runs;
                            });
    const cuda::CurrentDevice current(*stand.device);
    const cuda::Stream stream(stand.device, "slot 0");
    const Tensors tensors(stand.device, engine.bytes());
    cuda::PinnedBuffer dets(stand.device, engine.bytes().dets, "dets on the host");
    TensorRtContext context = engine.make_context();
    context.bind(tensors.addresses());
    cuda::enqueue_fill(stream, tensors.input, 7);
    context.enqueue(stream);
    stream.wait_idle();
    CHECK(runs == 1);
    cuda::Capture capture(stream);
    context.enqueue(stream);
    const cuda::GraphExec exec(capture.end());
    CHECK(runs == 1);
    cuda::enqueue_fill(stream, tensors.input, 9);
    exec.enqueue(stream);
    cuda::enqueue_copy(stream, dets, tensors.dets, 0, 64);
    stream.wait_idle();
    CHECK(runs == 2);
    CHECK(dets.data()[63] == std::byte{9});
  }
}

TEST_CASE("tensorrt: a context keeps its engine alive and ends first") {
  const TensorRtStand stand;
  std::optional<TensorRtContext> context;
  {
    const TensorRtEngine engine = stand.open();
    context.emplace(engine.make_context());
    TensorRtContext second = engine.make_context();
    second = engine.make_context();
    CHECK(stand.tensorrt.live().at("context") == 2);
  }
  CHECK(stand.tensorrt.live() == std::map<std::string, int>{{"context", 1}, {"engine", 1}, {"runtime", 1}});
}

TEST_CASE("tensorrt: an open batch runs at what its profile takes, sizes come from the context") {
  TensorRtStand stand(110100);
  stand.tensorrt.set_profile(2, 4, 8);
  const std::vector<stand_in::TensorModel> open = {{"input", true, 1, {-1, 3, 16, 24}},
                                                   {"masks", false, 1, {-1, -1, -1, -1}, 0, 0, {1, 7, 4, 6}},
                                                   {"labels", false, 1, {-1, -1, 91}, 0, 0, {1, 7, 91}},
                                                   {"dets", false, 0, {-1, -1, 4}, 0, 0, {1, 7, 4}}};
  stand.tensorrt.set_tensors(open);
  {
    const TensorRtEngine engine = stand.open();
    CHECK(engine.contract().batch == 0);
    CHECK(engine.batch().least == 2);
    CHECK(engine.batch().best == 4);
    CHECK(engine.batch().most == 8);
    CHECK(engine.contract().queries == 7);
    CHECK(engine.contract().mask_size.width == 6);
    CHECK(engine.contract().labels_type == network::ElementType::float16);
    CHECK(engine.bytes().input == 3 * 16 * 24 * 2);
    CHECK(engine.bytes().dets == 7 * 4 * 4);
    CHECK(engine.bytes().labels == 7 * 91 * 2);
    CHECK(engine.bytes().masks == 7 * 4 * 6 * 2);
    TensorRtContext context = engine.make_context();
    context.set_batch(3);
    CHECK_THROWS_WITH_AS(context.set_batch(1), doctest::Contains("refuses inputs of [1, 3, 16, 24]"), BackendError);
  }
  CHECK(contains(stand.refusal<BackendError>(Misbehaviour::shape_refused),
                 "TensorRT refuses inputs of [2, 3, 16, 24]: the shape is outside of the profile"));
  CHECK(contains(stand.refusal<BackendError>(Misbehaviour::shapes_not_inferred), "for 2 images cannot be inferred"));
  stand.tensorrt.set_profile(0, 1, 4);
  CHECK(contains(stand.refusal<ModelError>(Misbehaviour::none), "its first profile takes inputs of [0, 3, 16, 24]"));
  stand.tensorrt.set_profile(2, 4, 8);
  stand.tensorrt.misbehave(Misbehaviour::none);
  std::vector<stand_in::TensorModel> endless = open;
  endless[1].known_shape = {1, -1, 4, 6};
  endless[2].known_shape = {1, -1, 91};
  endless[3].known_shape = {1, -1, 4};
  stand.tensorrt.set_tensors(endless);
  CHECK(contains(stand.refusal<ModelError>(Misbehaviour::none), "depend on the image"));
}

TEST_CASE("tensorrt: files and networks that are refused") {
  TensorRtStand stand;
  const auto opening = [&](const std::string& file) { return TensorRtEngine(file, stand.device, stand.options); };
  CHECK_THROWS_WITH_AS(opening("/nowhere/model.engine"), "/nowhere/model.engine: no such file", ModelError);
  CHECK_THROWS_WITH_AS(opening(stand.folder.write("empty.engine", "")), doctest::Contains("is empty"), ModelError);
  CHECK_THROWS_WITH_AS(opening(stand.folder.path.string()), doctest::Contains("not a regular file"), ModelError);
  stand.tensorrt.set_tensors({{"x", true, 0, {1, 3, 8, 8}}, {"y", false, 0, {1, 1000}}});
  CHECK(contains(stand.refusal<ModelError>(Misbehaviour::none), "is not an RF-DETR segmentation network"));
  stand.tensorrt.set_tensors({{"x", true, 0, {1, 3, 8, 8}, 1}});
  CHECK(contains(stand.refusal<ModelError>(Misbehaviour::none), "tensor 'x' lives in host memory"));
  stand.tensorrt.set_tensors({{"x", true, 0, {1, 3, 8, 8}, 0, 2}});
  CHECK(contains(stand.refusal<ModelError>(Misbehaviour::none), "tensor 'x' has a vectorised memory format"));
}

TEST_CASE("tensorrt: a refused plan is explained, with versions and what to do") {
  TensorRtStand stand;
  const std::string told = stand.refusal<ModelError>(Misbehaviour::plan_rejected);
  CHECK(contains(told, "model.engine: TensorRT 10.6.0 ("));
  CHECK(contains(told,
                 "refuses this engine on Stand-in 0 (cuda:0, compute capability 9.0): Version tag does not match. "
                 "Note: Current Version: 240, Serialized Engine Version: 239 | Engine deserialization failed.\n"));
  CHECK(contains(told, "rebuild the engine on this machine"));
  CHECK(contains(told, "allow_engine_code=True: pass it only for files you trust"));
  CHECK(contains(stand.log_text(), "TensorRT: Version tag does not match"));
  CHECK(contains(stand.log_text(), "TensorRT: only a warning"));
  CHECK(contains(stand.refusal<ModelError>(Misbehaviour::plan_rejected_silently), "it gives no reason"));
}

TEST_CASE("tensorrt: code in an engine is forbidden unless allowed") {
  TensorRtStand stand;
  stand.tensorrt.require_engine_code();
  CHECK(contains(stand.refusal<ModelError>(Misbehaviour::none),
                 "allow_engine_code=True: pass it only for files you trust"));
  stand.options.allow_engine_code = true;
  CHECK(stand.open().contract().queries == 4);
  CHECK(stand.refusal<ModelError>(Misbehaviour::plan_rejected).find("allow_engine_code") == std::string::npos);
}

TEST_CASE("tensorrt: calls that fail, and bad addresses") {
  TensorRtStand stand;
  CHECK(contains(stand.refusal<BackendError>(Misbehaviour::no_context, true),
                 "did not create an execution context: out of memory on the device"));
  stand.tensorrt.misbehave(Misbehaviour::none);
  const TensorRtEngine engine = stand.open();
  TensorRtContext context = engine.make_context();
  const cuda::CurrentDevice current(*stand.device);
  const cuda::Stream stream(stand.device, "slot 0");
  const Tensors tensors(stand.device, engine.bytes());
  network::DeviceTensors addresses = tensors.addresses();
  addresses.masks += 64;
  CHECK_THROWS_WITH_AS(context.bind(addresses), doctest::Contains("'masks' needs an address that is a multiple of 256"),
                       BackendError);
  addresses.masks = 0;
  CHECK_THROWS_AS(context.bind(addresses), BackendError);
  stand.tensorrt.misbehave(Misbehaviour::address_refused);
  CHECK_THROWS_WITH_AS(context.bind(tensors.addresses()), doctest::Contains("refuses the address of tensor 'input'"),
                       BackendError);
  stand.tensorrt.misbehave(Misbehaviour::enqueue_fails);
  const auto capturing = [&] {
    cuda::Capture capture(stream);
    context.enqueue(stream);
    return capture.end();
  };
  CHECK_THROWS_WITH_AS(capturing(), doctest::Contains("model.engine: the kernel did not start"), BackendError);
  stream.wait_idle();  // the capture has ended
}
