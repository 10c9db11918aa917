// Finding TensorRT, and refusing what is not driven for sure.
#include "network/tensorrt/library.hpp"
#include "network/tensorrt_stand.hpp"

#include <rfseg/error.hpp>

#include <cstdlib>
#include <filesystem>

using namespace rfseg;
using network::tensorrt::Library;
using network::tensorrt::Search;
using stand_in::contains;
using stand_in::Misbehaviour;
namespace fs = std::filesystem;

namespace {

/// The stand-in, emptied; what a failed check leaves behind is expected, since it is not destroyed.
struct LibraryStand {
  explicit LibraryStand(std::int32_t version = 100600) : tensorrt(stand_in::tensorrt(RFSEG_STAND_IN_TENSORRT)) {
    tensorrt.reset();
    tensorrt.set_version(version);
  }
  ~LibraryStand() {
    CHECK(tensorrt.misuses().empty());
    tensorrt.reset();
  }
  stand_in::TensorRt& tensorrt;
};

std::string refusal(const Search& search) {
  try {
    const Library library(search, {});
  } catch (const BackendError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

struct LinkedFolder {
  explicit LinkedFolder(const char* name) {
    std::string pattern = (fs::temp_directory_path() / "rfseg-lib-XXXXXX").string();
    path = mkdtemp(pattern.data());
    fs::create_symlink(RFSEG_STAND_IN_TENSORRT, path / name);
  }
  ~LinkedFolder() { fs::remove_all(path); }
  fs::path path;
};

}  // namespace

TEST_CASE("tensorrt library: the order of the search, and every try in the message") {
  const LibraryStand stand;
  const LinkedFolder lean("libnvinfer_lean.so.10");
  const LinkedFolder useless("libnvinfer.so.9");
  CHECK(Library({"", {useless.path.string(), lean.path.string()}}, {}).version() == "10.6.0");
  const std::string nothing = refusal({"", {useless.path.string()}});
  CHECK(contains(nothing, useless.path.string() + ": holds none of libnvinfer.so.11 libnvinfer.so.10"));
  CHECK(contains(nothing, "\n  libnvinfer.so.11 (from the loader's search): cannot open shared object file"));
  CHECK(contains(nothing, "\n  libnvinfer.so.10 (from the loader's search): "));
  CHECK(contains(nothing, "RFSEG_TENSORRT"));
  setenv("RFSEG_TENSORRT", "/nowhere/libnvinfer.so", 1);
  const std::string named = refusal({"", {lean.path.string()}});
  CHECK(contains(named, "/nowhere/libnvinfer.so (from RFSEG_TENSORRT): cannot open"));
  CHECK(named.find(lean.path.string()) == std::string::npos);
  CHECK(Library({RFSEG_STAND_IN_TENSORRT, {}}, {}).version() == "10.6.0");
  unsetenv("RFSEG_TENSORRT");
  CHECK(contains(refusal({"libm.so.6", {}}), "libm.so.6 (as given): it is not a TensorRT runtime"));
}

TEST_CASE("tensorrt library: versions whose interface is not known are refused") {
  LibraryStand stand;
  for (const auto& [number, text] :
       {std::pair{8601, "8.6.1"}, {9300, "9.3.0"}, {100000, "10.0.0"}, {120000, "12.0.0"}}) {
    stand.tensorrt.set_version(number);
    CHECK(contains(refusal({RFSEG_STAND_IN_TENSORRT, {}}),
                   std::string("it is TensorRT ") + text + ": 10.1 or a later 10.x, or 11.x, is needed"));
  }
  for (const std::int32_t number : {100100, 101601, 110000, 110400}) {
    stand.tensorrt.set_version(number);
    CHECK(Library({RFSEG_STAND_IN_TENSORRT, {}}, {}).entries().major == number / 10000);
  }
}

TEST_CASE("tensorrt library: creation that fails does not return null") {
  LibraryStand stand;
  const Library library({RFSEG_STAND_IN_TENSORRT, {}}, {});
  stand.tensorrt.misbehave(Misbehaviour::no_driver);
  CHECK_THROWS_WITH_AS(library.create_runtime(false), doctest::Contains("finds no usable NVIDIA driver"), BackendError);
  CHECK_THROWS_WITH_AS(library.create_runtime(false), doctest::Contains("failure with error: 35"), BackendError);
  stand.tensorrt.misbehave(Misbehaviour::no_runtime);
  CHECK_THROWS_WITH_AS(library.create_runtime(false),
                       doctest::Contains("did not create a runtime, and gives no reason"), BackendError);
}

TEST_CASE("tensorrt library: a runtime that is not driven rightly is left alone") {
  for (const std::int32_t version : {100600, 110100}) {
    LibraryStand stand(version);
    const Library library({RFSEG_STAND_IN_TENSORRT, {}}, {});
    const std::pair<Misbehaviour, const char*> cases[] = {
        {Misbehaviour::lost_logger, "does not name the logger"},
        {Misbehaviour::lost_thread_limit, "the thread limit is not kept"},
        {Misbehaviour::lost_engine_code_switch, "the switch for engine code is not kept"},
        {Misbehaviour::short_runtime_table, "entry 20 of its methods is no code"},
        {Misbehaviour::wrong_self, "names another object as its own"},
        {Misbehaviour::no_methods, "it has no implementation"},
        {Misbehaviour::data_as_destructor, "a destructor entry is no code"},
        {Misbehaviour::foreign_table, "its method table is not in the opened library"},
        {Misbehaviour::unreadable_table, "its method table is not readable"},
        {Misbehaviour::stray_methods, "its implementation has no method table in a loaded library"},
        {Misbehaviour::cut_methods, "its implementation's method table is too short"},
    };
    int left = 0;
    for (const auto& [how, why] : cases) {
      CAPTURE(why);
      stand.tensorrt.misbehave(how);
      CHECK_THROWS_WITH_AS(library.create_runtime(true), doctest::Contains("TensorRT interface check: "), BackendError);
      CHECK_THROWS_WITH_AS(library.create_runtime(true), doctest::Contains(why), BackendError);
      left += 2;
      CHECK(stand.tensorrt.live().at("runtime") == left);  // destroying would be a guess
    }
    stand.tensorrt.misbehave(Misbehaviour::none);
    library.create_runtime(true);
    CHECK(stand.tensorrt.live().at("runtime") == left);
  }
}

TEST_CASE("tensorrt library: TensorRT's messages reach every listener, and no one once all are gone") {
  LibraryStand stand(110100);
  std::vector<std::string> first, second;
  const auto into = [](std::vector<std::string>& list) {
    return [&list](LogLevel level, const std::string& text) {
      list.push_back(std::to_string(static_cast<int>(level)) + text);
    };
  };
  {
    const Library one({RFSEG_STAND_IN_TENSORRT, {}}, into(first));
    const auto runtime = one.create_runtime(false);
    {
      const Library two({RFSEG_STAND_IN_TENSORRT, {}}, into(second));
      two.create_runtime(false);
      stand.tensorrt.log(1, "bad");
    }
    stand.tensorrt.log(2, "odd");
    stand.tensorrt.log(3, "chat");
    stand.tensorrt.log(4, "detail");
    CHECK(one.log().take_errors() == "bad");
    CHECK(one.log().take_errors().empty());
    for (int i = 0; i < 20; ++i) stand.tensorrt.log(0, std::to_string(i));
    CHECK(one.log().take_errors() == "12 | 13 | 14 | 15 | 16 | 17 | 18 | 19");
  }
  CHECK(second == std::vector<std::string>{"3TensorRT: bad"});
  REQUIRE(first.size() == 23);
  CHECK(first[1] == "2TensorRT: odd");
  CHECK(first[2] == "0TensorRT: chat");
  stand.tensorrt.log(1, "late");  // the logger outlives everyone
  CHECK(first.size() == 23);
}

TEST_CASE("tensorrt library: another logger in this program is taken note of") {
  LibraryStand stand;
  std::string said;
  const Library library({RFSEG_STAND_IN_TENSORRT, {}}, [&said](LogLevel, const std::string& text) { said += text; });
  stand.tensorrt.misbehave(Misbehaviour::foreign_logger);
  library.create_runtime(false);
  CHECK(contains(said, "another part of this program gave TensorRT its logger first"));
}

TEST_CASE("tensorrt library: a listener that throws is not heard of again by TensorRT") {
  LibraryStand stand;
  const Library library({RFSEG_STAND_IN_TENSORRT, {}}, [](LogLevel, const std::string&) { throw 1; });
  const auto runtime = library.create_runtime(false);
  stand.tensorrt.log(1, "kept all the same");
  CHECK(library.log().take_errors() == "kept all the same");
}
