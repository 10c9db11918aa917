// How ONNX Runtime's library is found and refused, and what a network leaves behind when the library fails: with a
// stand-in that fails on purpose.
#include "doctest.h"

#include "network/onnx/api.hpp"
#include "network/onnx/runtime.hpp"

#include <rfseg/error.hpp>

#include <dlfcn.h>

#include <cstdlib>
#include <optional>

using rfseg::BackendError;
using rfseg::LogLevel;
using rfseg::ModelError;
using rfseg::network::OnnxNetwork;
using rfseg::network::onnx::one_line;
using rfseg::network::onnx::open_library;
using rfseg::network::onnx::read_model_file;

namespace {

const std::string kStandIn = RFSEG_TEST_STAND_IN;
const std::string kModel = std::string(RFSEG_TEST_ROOT) + "/tests/data/models/plain.onnx";

/// An environment variable during its life.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    set(value);
  }
  ~Variable() { set(before_ ? before_->c_str() : nullptr); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  void set(const char* value) const {
    if (value != nullptr)
      setenv(name_, value, 1);
    else
      unsetenv(name_);
  }
  const char* name_;
  std::optional<std::string> before_;
};

/// What is said about the one library that is tried; fails when it is opened.
std::string refusal(const std::string& library) {
  const std::string start = "no usable ONNX Runtime library:\n  ";
  const std::string end = "\nFix: pip install onnxruntime, or set RFSEG_ONNXRUNTIME to the path of libonnxruntime.so";
  try {
    open_library(library);
  } catch (const BackendError& error) {
    const std::string text = error.what();
    REQUIRE(text.size() > start.size() + end.size());
    REQUIRE(text.substr(0, start.size()) == start);
    REQUIRE(text.substr(text.size() - end.size()) == end);
    return text.substr(start.size(), text.size() - start.size() - end.size());
  }
  FAIL("opened: ", library);
  return "";
}

/// Objects that the stand-in made and nobody released.
int live_objects() {
  void* library = dlopen(kStandIn.c_str(), RTLD_NOW);
  REQUIRE(library != nullptr);
  void* symbol = dlsym(library, "stand_in_live_objects");
  REQUIRE(symbol != nullptr);
  return reinterpret_cast<int (*)()>(symbol)();
}

void run(OnnxNetwork& network) {
  std::vector<float> image(3 * 8 * 8), dets(5 * 4), labels(5 * 3), masks(5 * 2 * 2);
  network.run({image.data(), dets.data(), labels.data(), masks.data()}, 1);
}

}  // namespace

TEST_CASE("onnx library: one that was asked for and fails is not replaced by another") {
  const Variable variable("RFSEG_ONNXRUNTIME", "/nowhere/b.so");
  CHECK(refusal("/nowhere/a.so") ==
        "/nowhere/a.so (as given): cannot open shared object file: No such file or directory");
  CHECK(refusal("") ==
        "/nowhere/b.so (from RFSEG_ONNXRUNTIME): cannot open shared object file: No such file or directory");
}

TEST_CASE("onnx library: libraries that do not fit are refused") {
  CHECK(refusal("libm.so.6") == "libm.so.6 (as given): it is not ONNX Runtime: it does not export OrtGetApiBase");
  const std::pair<const char*, const char*> modes[] = {
      {"old", "version 1.18.0 is not supported: 1.19 or a later 1.x is needed"},
      {"next", "version 2.0.0 is not supported: 1.19 or a later 1.x is needed"},
      {"no_table", "version 1.19.0 refuses interface version 19"}};
  for (const auto& [mode, reason] : modes) {
    const Variable stand_in("RFSEG_STAND_IN", mode);
    CHECK(refusal(kStandIn) == kStandIn + " (as given): " + reason);
  }
}

TEST_CASE("onnx library: a given path comes before the environment") {
  const Variable stand_in("RFSEG_STAND_IN", nullptr);
  {
    const Variable variable("RFSEG_ONNXRUNTIME", kStandIn.c_str());
    CHECK(open_library("").path == kStandIn);
  }
  const Variable variable("RFSEG_ONNXRUNTIME", "/nowhere/b.so");
  CHECK(open_library(kStandIn).path == kStandIn);
  CHECK(open_library(kStandIn).version == "1.19.0");
}

TEST_CASE("onnx library: telemetry is off unless the user decided") {
  for (const char* users : {static_cast<const char*>(nullptr), "0"}) {
    const Variable variable("ORT_DISABLE_TELEMETRY", users);
    open_library(kStandIn);
    CHECK(std::string(std::getenv("ORT_DISABLE_TELEMETRY")) == (users != nullptr ? users : "1"));
  }
}

TEST_CASE("onnx library: whatever fails, nothing is left behind") {
  REQUIRE(live_objects() == 0);
  SUBCASE("nothing fails") {
    const Variable stand_in("RFSEG_STAND_IN", nullptr);
    OnnxNetwork network(read_model_file(kModel), kStandIn, 1, {});
    const int held = live_objects();
    CHECK(held == 3);  // environment, session, description of memory
    run(network);
    CHECK(live_objects() == held);
  }
  SUBCASE("the session cannot be created") {
    const Variable stand_in("RFSEG_STAND_IN", "no_session");
    const std::string expected = kModel + " cannot be loaded by ONNX Runtime 1.19.0: the graph is too large";
    CHECK_THROWS_WITH_AS(OnnxNetwork(read_model_file(kModel), kStandIn, 1, {}), expected.c_str(), ModelError);
  }
  SUBCASE("a frame fails") {
    OnnxNetwork network(read_model_file(kModel), kStandIn, 1, {});
    const Variable stand_in("RFSEG_STAND_IN", "no_run");
    const std::string expected = kModel + " failed in ONNX Runtime 1.19.0: Got invalid dimensions for input: input";
    CHECK_THROWS_WITH_AS(run(network), expected.c_str(), BackendError);
  }
  CHECK(live_objects() == 0);
}

TEST_CASE("onnx library: what the library logs arrives in one line") {
  const Variable stand_in("RFSEG_STAND_IN", "logs");
  std::vector<std::pair<LogLevel, std::string>> lines;
  OnnxNetwork network(read_model_file(kModel), kStandIn, 1,
                      [&](LogLevel level, const std::string& line) { lines.emplace_back(level, line); });
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].first == LogLevel::warning);
  CHECK(lines[0].second == "ONNX Runtime: a warning");
}

TEST_CASE("onnx library: messages are cut to what concerns people") {
  const std::pair<const char*, const char*> messages[] = {
      {"Unexpected input data type. Actual: (tensor(int32)) , expected: (tensor(float))",
       "Unexpected input data type. Actual: (tensor(int32)) , expected: (tensor(float))"},
      {"Got invalid dimensions for input: input for the following indices\n index: 2 Got: 8\n Please fix",
       "Got invalid dimensions for input: input for the following indices"},
      {"Load model from /a b/x.onnx failed:Protobuf parsing failed.", "Protobuf parsing failed."},
      {"Load model from x.onnx failed:/src/core/model.cc:180 onnxruntime::Model::Model(onnx::ModelProto&&, const "
       "Path&, std::function<void (int)>) Unsupported model IR version: 99, max supported IR version: 10\n",
       "Unsupported model IR version: 99, max supported IR version: 10"},
      {"running Reshape node. Status Message: /src/cpu/reshape.h:45 Helper::Helper(bool) size == wanted was false. Bad",
       "running Reshape node. Status Message: size == wanted was false. Bad"},
      {"Error: tensorprotoutils.cc:619 External data path does not exist: \"/a/w.bin\"",
       "Error: External data path does not exist: \"/a/w.bin\""},
      {"/src/core/model.cc:1 no closing (parenthesis", ""},
      {"/src/core/model.cc:1", ""},
      {"", ""},
  };
  for (const auto& [message, cut] : messages) CHECK(one_line(message) == cut);
}
