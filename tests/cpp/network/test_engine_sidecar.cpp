// `model.engine.json` and rfdetr's `model.json`: what they state, what is refused, and that an engine for another
// machine never reaches TensorRT.
#include "network/contract_files.hpp"
#include "network/tensorrt_stand.hpp"

#include <rfseg/error.hpp>

#include <algorithm>

using namespace rfseg;
using network::ExportContract;
using stand_in::contains;
using stand_in::Folder;
using stand_in::Misbehaviour;
using stand_in::TensorRtStand;

namespace {

ExportContract read(const Folder& folder, const std::string& engine, const std::string& sidecar,
                    const std::string& text) {
  folder.write(sidecar, text);
  return network::read_contract((folder.path / engine).string(), "tensorrt", "", {}, {});
}

}  // namespace

TEST_CASE("engine sidecar: what rfseg writes is read") {
  const Folder folder;
  const ExportContract found = read(folder, "model.engine", "model.engine.json", R"({
    "schema_version": 1, "layout": "NCHW", "engine_size": 6, "engine_sha256": "not looked at", "later": [1],
    "input_name": "input", "network_size": [312, 320], "batch": [1, 8], "resize": "bilinear",
    "mean": [0.5, 0.25, 0.125], "std": [1, 2, 4], "places": 100, "names": {"1": "cat"}, "tensorrt": "10.6.0",
    "gpu": "NVIDIA H100", "compute_capability": "9.0", "precision": "float16", "notes": []})");
  CHECK(found.source == (folder.path / "model.engine.json").string());
  CHECK(found.roles.input == "input");
  CHECK(found.input_size == ImageSize{312, 320});
  CHECK(found.antialias == false);
  CHECK(found.mean == std::array<float, 3>{0.5F, 0.25F, 0.125F});
  CHECK(found.deviation == std::array<float, 3>{1, 2, 4});
  CHECK(found.places == 100);
  REQUIRE(found.class_names);
  CHECK(*found.class_names->find("1")->text() == "cat");
  CHECK(found.built.tensorrt == "10.6.0");
  CHECK(found.built.gpu == "NVIDIA H100");
  CHECK(found.built.compute_capability == "9.0");
  CHECK(found.precision == "float16");
}

TEST_CASE("engine sidecar: what is not known is not stated") {
  const Folder folder;
  const ExportContract found = read(folder, "model.engine", "model.engine.json", R"({"schema_version": 1,
    "engine_size": 0, "network_size": [0, 0], "resize": "", "places": null, "names": null, "tensorrt": "", "gpu": ""})");
  CHECK_FALSE(found.input_size);
  CHECK_FALSE(found.antialias);
  CHECK_FALSE(found.mean);
  CHECK_FALSE(found.places);
  CHECK_FALSE(found.class_names);
  CHECK(found.built.tensorrt.empty());
}

TEST_CASE("engine sidecar: a wrong one is refused") {
  const Folder folder;
  const std::pair<const char*, const char*> cases[] = {
      {"{", "model.engine.json"},
      {"[]", "expected an object"},
      {R"({"engine_size": 6})", "schema_version: this rfseg reads 1: build the engine again"},
      {R"({"schema_version": 2})", "schema_version is 2: this rfseg reads 1: build the engine again"},
      {R"({"schema_version": 1, "engine_size": 5})", "engine_size is 5: it describes another build"},
      {R"({"schema_version": 1, "network_size": 312})", "expected [height, width]"},
      {R"({"schema_version": 1, "resize": "cubic"})", R"(resize is "cubic": expected "pil" or "bilinear")"},
      {R"({"schema_version": 1, "tensorrt": 10})", "tensorrt is 10: expected a text"},
      {R"({"schema_version": 1, "std": [1, 0, 1]})", "expected numbers above 0"}};
  for (const auto& [text, words] : cases) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(read(folder, "model.engine", "model.engine.json", text), doctest::Contains(words), ModelError);
  }
}

TEST_CASE("engine sidecar: rfdetr's description of a build states a machine too, and the two must agree") {
  const Folder folder;
  folder.write("model.trt", "a plan");
  const std::string build = R"(, "build": {"precision": "fp16", "tensorrt_version": "10.6.0.26",
    "gpu": {"name": "NVIDIA L4", "compute_capability": "8.9"}}})";
  const ExportContract found = read(folder, "model.trt", "model.json", R"({"schema_version": 1)" + build);
  CHECK(found.built.tensorrt == "10.6.0.26");
  CHECK(found.built.gpu == "NVIDIA L4");
  CHECK(found.built.compute_capability == "8.9");
  CHECK_THROWS_WITH_AS(
      read(folder, "model.trt", "model.trt.json", R"({"schema_version": 1, "compute_capability": "9.0"})"),
      doctest::Contains("disagree about the compute capability: '8.9' and '9.0'"), ModelError);
}

TEST_CASE("engine sidecar: an engine for another machine is refused before TensorRT sees it") {
  TensorRtStand stand;
  const auto refused = [&](const network::EngineBuild& built) {
    stand.options.built = built;
    return stand.refusal<BackendError>(Misbehaviour::plan_rejected);  // whose words are a ModelError
  };
  CHECK(
      contains(refused({"", "NVIDIA L4", "8.9"}),
               "model.engine was built for compute capability 8.9 (NVIDIA L4), and Stand-in 0 has 9.0: build it again "
               "on this machine (rfseg build), or give the .onnx file"));
  CHECK(contains(refused({"10.5.0.18", "", ""}),
                 "was built by TensorRT 10.5.0.18, and the library here is 10.6.0: build it again"));
  CHECK(contains(refused({"10.5.0.18", "", ""}), "pip install \"tensorrt-cu12==10.5.0.*\""));
  stand.tensorrt.misbehave(Misbehaviour::none);
  stand.options.built = {"10.6.0.26", "Stand-in 0", "9.0"};
  CHECK(stand.open().contract().queries == 4);
  CHECK(stand.logged.empty());
  stand.options.built = {"10.5.0", "", ""};
  stand.options.allow_engine_code = true;  // it may bring the runtime of its version
  CHECK(stand.open().contract().queries == 4);
}

TEST_CASE("engine sidecar: another model of GPU is warned of once a process, by rfseg or by TensorRT") {
  TensorRtStand stand;
  stand.options.built = {"10.6.0", "NVIDIA H200", "9.0"};
  const network::TensorRtEngine first = stand.open(), second = stand.open();
  stand.tensorrt.log(2, "Using an engine plan file across different models of devices is not recommended");
  const auto warnings = std::count_if(stand.logged.begin(), stand.logged.end(),
                                      [](const auto& entry) { return entry.first == LogLevel::warning; });
  CHECK(warnings == 1);
  CHECK(contains(stand.log_text(), "model.engine was built on NVIDIA H200 and runs on Stand-in 0: it may be slower"));
  CHECK(contains(stand.log_text(), "across different models of devices"));
}
