// Engines and contexts whose interface is not the expected one.
#include "network/tensorrt/object.hpp"
#include "network/tensorrt_stand.hpp"

#include <rfseg/error.hpp>

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace rfseg;
using stand_in::contains;
using stand_in::Misbehaviour;
using stand_in::Stand;
using stand_in::TensorModel;
using stand_in::TensorRtStand;

TEST_CASE("tensorrt objects: an engine or context with another interface is refused and left alone") {
  stand_in::TensorRt& tensorrt = stand_in::tensorrt(RFSEG_STAND_IN_TENSORRT);
  const Stand stand;
  std::string file = (std::filesystem::temp_directory_path() / "rfseg-engine-XXXXXX").string();
  close(mkstemp(file.data()));
  std::ofstream(file) << "a plan";
  const struct {
    Misbehaviour how;
    const char* why;
    int engines_left, contexts_left;
  } cases[] = {
      {Misbehaviour::short_engine_table, "engine: entry 20 of its methods is no code", 1, 0},
      {Misbehaviour::short_context_table, "execution context: entry 20 of its methods is no code", 0, 1},
      {Misbehaviour::nameless_tensor, "engine: tensor 0 has no name", 0, 0},
      {Misbehaviour::too_many_tensors, "engine: it claims 5000 tensors", 0, 0},
  };
  int refused = 0;
  for (const std::int32_t version : {100600, 110100}) {
    for (const auto& [how, why, engines_left, contexts_left] : cases) {
      CAPTURE(why);
      tensorrt.reset();
      tensorrt.set_version(version);
      tensorrt.misbehave(how);
      const auto open = [&] {
        network::TensorRtOptions options;
        options.library = RFSEG_STAND_IN_TENSORRT;
        network::TensorRtEngine(file, stand.device, options).make_context();
      };
      CHECK_THROWS_WITH_AS(open(), doctest::Contains(why), BackendError);
      std::map<std::string, int> left = tensorrt.live();
      CHECK(left["engine"] == engines_left);
      CHECK(left["context"] == contexts_left);
      CHECK(left["runtime"] == 0);
      ++refused;
    }
  }
  CHECK(refused == 8);

  tensorrt.reset();
  std::filesystem::remove(file);
}

TEST_CASE("tensorrt objects: what a plan's own runtime may have wrapped is only said") {
  const std::pair<Misbehaviour, const char*> cases[] = {
      {Misbehaviour::wrapped_engine, "TensorRT: engine: the implementation names another object as its own\n"},
      {Misbehaviour::another_engine, "TensorRT: execution context: it names another engine as its own\n"},
  };
  for (const auto& [how, said] : cases) {
    TensorRtStand stand;
    CHECK(stand.refusal<Error>(how, true) == "nothing was thrown");
    REQUIRE(stand.logged.size() == 1);
    CHECK(stand.logged[0].first == LogLevel::warning);
    CHECK(stand.log_text() == said);
  }
}

TEST_CASE("tensorrt objects: an engine with impossible tensors is refused") {
  TensorRtStand stand;
  stand.tensorrt.set_tensors({});
  CHECK(contains(stand.refusal<BackendError>(Misbehaviour::none), "engine: it claims 0 tensors"));
  const auto answer_to = [&stand](const auto& change) {
    TensorModel tensor{"x", true, 0, {1, 3, 8, 8}};
    change(tensor);
    stand.tensorrt.set_tensors({tensor});
    return stand.refusal<Error>(Misbehaviour::none);
  };
  const char* const impossible = "TensorRT interface check: engine: tensor 'x' has impossible properties";
  CHECK(contains(answer_to([](auto& x) { x.type = 11; }), "its input is e8m0, not float32 or float16"));
  for (const std::int32_t wrong : {-1, 12}) CHECK(contains(answer_to([&](auto& x) { x.type = wrong; }), impossible));
  for (const std::int32_t wrong : {-1, 2}) CHECK(contains(answer_to([&](auto& x) { x.location = wrong; }), impossible));
  for (const std::int32_t wrong : {0, 3}) CHECK(contains(answer_to([&](auto& x) { x.mode = wrong; }), impossible));
  for (const std::int32_t wrong : {-2, 9}) CHECK(contains(answer_to([&](auto& x) { x.rank = wrong; }), impossible));
}

TEST_CASE("tensorrt objects: whatever the address is, looking at it does not fault") {
  using network::tensorrt::check_object;
  using network::tensorrt::readable;
  const network::tensorrt::ObjectLook look{"thing", 2, 10};
  alignas(8) std::array<void*, 2> words{};
  void* const unmapped = reinterpret_cast<void*>(std::uintptr_t{0x7000'0000'0000});
  const auto refused = [&](void* object, const char* why) {
    CHECK_THROWS_WITH_AS(check_object(object, look), doctest::Contains(why), BackendError);
  };
  refused(nullptr, "not readable");
  refused(reinterpret_cast<void*>(std::uintptr_t{0x228}), "not readable");
  refused(unmapped, "not readable");
  refused(reinterpret_cast<char*>(words.data()) + 1, "not readable");
  refused(words.data(), "no method table in a loaded library");
  words = {unmapped, unmapped};
  refused(words.data(), "no method table in a loaded library");
  static void* table[2] = {};
  words = {static_cast<void*>(table), unmapped};
  refused(words.data(), "a destructor entry is no code");
  CHECK_FALSE(readable(unmapped, 1));
  CHECK(readable(words.data(), sizeof words));
}
