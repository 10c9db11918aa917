// The real ONNX Runtime, driven without its headers, on the packaged network and on small ones.
#include "doctest.h"

#include "network/onnx/runtime.hpp"

#include <rfseg/error.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

using rfseg::BackendError;
using rfseg::LogLevel;
using rfseg::ModelError;
using rfseg::network::ModelContract;
using rfseg::network::OnnxNetwork;
using rfseg::network::onnx::read_model_file;

namespace {

const std::string kRoot = RFSEG_TEST_ROOT;
const std::string kLibrary = RFSEG_TEST_ONNXRUNTIME;
const std::string kDemo = kRoot + "/python/rfseg/demo/shapes.onnx";

std::string tiny(const std::string& name) { return kRoot + "/tests/data/models/" + name + ".onnx"; }

/// Lines that a network logged, from any thread.
class Log {
 public:
  rfseg::LogCallback callback() {
    return [this](LogLevel level, const std::string& line) {
      const std::lock_guard lock(mutex_);
      lines_.emplace_back(level, line);
    };
  }
  const std::vector<std::pair<LogLevel, std::string>>& lines() const { return lines_; }

 private:
  std::mutex mutex_;
  std::vector<std::pair<LogLevel, std::string>> lines_;
};

/// Catches what the process writes to file descriptor 2.
class StderrCapture {
 public:
  StderrCapture() : file_(std::tmpfile()), before_(dup(STDERR_FILENO)) { dup2(fileno(file_), STDERR_FILENO); }
  ~StderrCapture() {
    dup2(before_, STDERR_FILENO);
    close(before_);
    std::fclose(file_);
  }
  long bytes() const { return lseek(fileno(file_), 0, SEEK_END); }

 private:
  std::FILE* file_;
  int before_;
};

struct Outputs {
  std::vector<float> dets, labels, masks;
};
bool operator==(const Outputs& a, const Outputs& b) {
  return a.dets == b.dets && a.labels == b.labels && a.masks == b.masks;
}

std::size_t pixels(rfseg::ImageSize size) {
  return static_cast<std::size_t>(size.height) * static_cast<std::size_t>(size.width);
}

/// Runs an image that depends on `seed`.
Outputs run(OnnxNetwork&& network, int seed = 1);
Outputs run(OnnxNetwork& network, int seed = 1) {
  const ModelContract& c = network.contract();
  std::vector<float> image(3 * pixels(c.network_size));
  for (std::size_t i = 0; i < image.size(); ++i)
    image[i] = static_cast<float>((i * 31 + static_cast<std::size_t>(seed) * 7) % 97) / 48 - 1;
  const auto queries = static_cast<std::size_t>(c.queries);
  Outputs out{std::vector<float>(queries * 4), std::vector<float>(queries * static_cast<std::size_t>(c.columns)),
              std::vector<float>(queries * pixels(c.mask_size))};
  network.run({image.data(), out.dets.data(), out.labels.data(), out.masks.data()}, 1);
  return out;
}

Outputs run(OnnxNetwork&& network, int seed) { return run(network, seed); }

/// What is said about a model that cannot be opened; fails when it can.
std::string refusal(const std::string& model) {
  try {
    OnnxNetwork network(read_model_file(model), kLibrary, 1, {});
  } catch (const ModelError& error) {
    return error.what();
  }
  FAIL("opened: ", model);
  return "";
}

class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("rfseg_models_" + std::to_string(getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directory(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(const char* name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return path_ / name;
  }
  std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("onnx runtime: the packaged network says what it is") {
  OnnxNetwork network(read_model_file(kDemo), kLibrary, 1, {});
  const ModelContract& c = network.contract();
  CHECK(c.network_size == rfseg::ImageSize{312, 312});
  CHECK(c.mask_size == rfseg::ImageSize{78, 78});
  CHECK(c.queries == 50);
  CHECK(c.columns == 9);
  CHECK(c.batch == 1);
  CHECK(read_model_file(kDemo).metadata.at("names").rfind("[\"circle\",\"square\"", 0) == 0);
  CHECK(read_model_file(kDemo).metadata.count("rfdetr_inference") == 0);
  CHECK(network.library_version().rfind("1.", 0) == 0);
  CHECK(std::filesystem::equivalent(network.library_path(), kLibrary));
}

TEST_CASE("onnx runtime: the outputs depend on the image and on nothing else") {
  OnnxNetwork one(read_model_file(kDemo), kLibrary, 1, {});
  OnnxNetwork two(read_model_file(kDemo), kLibrary, 2, {});
  const Outputs first = run(one);
  CHECK(std::all_of(first.dets.begin(), first.dets.end(), [](float v) { return v > -1 && v < 2; }));
  CHECK(std::adjacent_find(first.masks.begin(), first.masks.end(), std::not_equal_to<>()) != first.masks.end());
  CHECK(run(one) == first);
  CHECK(run(two) == first);
  CHECK_FALSE(run(one, 2) == first);
}

TEST_CASE("onnx runtime: one network may be run by several threads at once") {
  OnnxNetwork network(read_model_file(tiny("plain")), kLibrary, 2, {});
  std::array<Outputs, 4> expected, found;
  for (int i = 0; i < 4; ++i) expected[static_cast<std::size_t>(i)] = run(network, i);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int repeat = 0; repeat < 50; ++repeat) found[static_cast<std::size_t>(i)] = run(network, i);
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(found == expected);
  CHECK_FALSE(expected[0] == expected[1]);
}

TEST_CASE("onnx runtime: open sizes, order and names of the outputs do not change the answer") {
  const Outputs plain = run(OnnxNetwork(read_model_file(tiny("plain")), kLibrary, 1, {}));
  OnnxNetwork open(read_model_file(tiny("dynamic_batch")), kLibrary, 1, {});
  CHECK(open.contract().batch == 0);
  CHECK(open.contract().queries == 5);
  CHECK(open.contract().columns == 3);
  CHECK(open.contract().mask_size == rfseg::ImageSize{2, 2});
  CHECK(run(open) == plain);
  OnnxNetwork reordered(read_model_file(tiny("reordered")), kLibrary, 1, {});
  CHECK(reordered.contract().masks == "4184");
  CHECK(run(reordered) == plain);
}

TEST_CASE("onnx runtime: what is written to stderr would be seen") {
  const StderrCapture capture;
  CHECK(write(STDERR_FILENO, "x", 1) == 1);
  CHECK(capture.bytes() == 1);
}

TEST_CASE("onnx runtime: files that are no models are refused in plain words") {
  const StderrCapture capture;
  const Folder folder;
  CHECK(refusal("missing.onnx") == "missing.onnx: no such file");
  CHECK(refusal(folder.path()) == folder.path() + " is a directory: give the path of the .onnx file in it");
  CHECK(refusal("/dev/null") == "/dev/null cannot be read: not a regular file");
  const std::string empty = folder.file("empty.onnx", "");
  CHECK(refusal(empty) == empty + " is empty: export or download it again");
  const std::string text = folder.file("text.onnx", "version https://git-lfs.github.com/spec/v1\n");
  CHECK(refusal(text) == text + " is a Git LFS pointer, not the file itself: run git lfs pull");
  std::string content(100000, '\0');
  std::ifstream(kDemo, std::ios::binary).read(content.data(), static_cast<std::streamsize>(content.size()));
  const std::string part = folder.file("part.onnx", content);
  CHECK(refusal(part) == part + " is damaged or cut short: export or download it again");
  CHECK(capture.bytes() == 0);
}

TEST_CASE("onnx runtime: networks that do not fit are refused") {
  const StderrCapture capture;
  const std::pair<const char*, const char*> refusals[] = {
      {"open_image", ": its image size is open: export it again"},
      {"flat_masks", ": no output of rank 4 holds masks: "},
      {"detection", ": no output of rank 4 holds masks: "},
      {"keypoints", ": it finds keypoints, not masks: "},
      {"ambiguous", ": which of 'a' and 'b' is dets is ambiguous"},
      {"uneven_queries", ": its outputs disagree about the number of queries Q."},
      {"not_a_number", " answers a test image with NaN or infinity in 'labels': its weights are damaged"},
      {"from_the_future", ": Unsupported model IR version: 99, max supported IR version: "},
      {"from_the_future", "): install an onnxruntime newer than "},
  };
  for (const auto& [name, reason] : refusals) {
    CAPTURE(name);
    const std::string text = refusal(tiny(name));
    CHECK(text.rfind(tiny(name), 0) == 0);
    CHECK_MESSAGE(text.find(reason) != std::string::npos, text);
    CHECK_MESSAGE(text.find("onnxruntime_src") == std::string::npos, text);
  }
  CHECK(capture.bytes() == 0);
}

TEST_CASE("onnx runtime: a failing frame is reported in one line, to its own network's log, and harms no other") {
  const StderrCapture capture;
  Log broken_log, plain_log;
  OnnxNetwork plain(read_model_file(tiny("plain")), kLibrary, 1, plain_log.callback());
  const Outputs before = run(plain);
  OnnxNetwork broken(read_model_file(tiny("fails_when_run")), kLibrary, 1, broken_log.callback());
  for (int i = 0; i < 2; ++i) {
    const std::string expected = tiny("fails_when_run") + " failed in ONNX Runtime " + plain.library_version() +
                                 ": Non-zero status code returned while running Gather node. Name:'' Status Message: " +
                                 "indices element out of data bounds, idx=75 must be within the inclusive range [-5,4]";
    CHECK_THROWS_WITH_AS(run(broken), expected.c_str(), BackendError);
  }
  CHECK(run(plain) == before);
  REQUIRE(broken_log.lines().size() == 2);
  CHECK(broken_log.lines()[0].first == LogLevel::error);
  CHECK(broken_log.lines()[0].second.rfind("ONNX Runtime: Non-zero status code returned while running Gather", 0) == 0);
  CHECK(plain_log.lines().empty());
  CHECK(capture.bytes() == 0);
}

TEST_CASE("onnx runtime: networks can be opened again after the last one is gone") {
  const Outputs first = run(OnnxNetwork(read_model_file(tiny("plain")), kLibrary, 2, {}));
  for (int i = 0; i < 10; ++i) CHECK(run(OnnxNetwork(read_model_file(tiny("plain")), kLibrary, 2, {})) == first);
}

TEST_CASE("onnx runtime: float16 at the door is converted") {
  OnnxNetwork half(read_model_file(tiny("float16")), kLibrary, 1, {});
  CHECK(half.contract().input_type == rfseg::network::ElementType::float16);
  CHECK(half.contract().masks_type == rfseg::network::ElementType::float16);
  const Outputs expected = run(OnnxNetwork(read_model_file(tiny("plain")), kLibrary, 1, {})), found = run(half);
  int compared = 0;
  for (const auto member : {&Outputs::dets, &Outputs::labels, &Outputs::masks})
    for (std::size_t i = 0; i < (expected.*member).size(); ++i, ++compared)
      CHECK((found.*member)[i] == doctest::Approx((expected.*member)[i]).epsilon(4e-3).scale(1));
  CHECK(compared == 5 * (4 + 3 + 4));
}

TEST_CASE("onnx runtime: every image of a batch gets what it would get alone") {
  OnnxNetwork alone(read_model_file(tiny("plain")), kLibrary, 1, {});
  for (const char* name : {"batch_of_2", "dynamic_batch"}) {
    CAPTURE(name);
    OnnxNetwork network(read_model_file(tiny(name)), kLibrary, 1, {});
    CHECK(network.contract().batch == (std::string(name) == "batch_of_2" ? 2 : 0));
    std::vector<float> images(2 * 192), dets(2 * 20), labels(2 * 15), masks(2 * 20);
    for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(i * 31 % 97) / 48 - 1;
    network.run({images.data(), dets.data(), labels.data(), masks.data()}, 2);
    for (std::size_t n = 0; n < 2; ++n) {
      Outputs one{std::vector<float>(20), std::vector<float>(15), std::vector<float>(20)};
      alone.run({images.data() + n * 192, one.dets.data(), one.labels.data(), one.masks.data()}, 1);
      CHECK(std::equal(one.dets.begin(), one.dets.end(), dets.begin() + static_cast<std::ptrdiff_t>(n * 20)));
      CHECK(std::equal(one.labels.begin(), one.labels.end(), labels.begin() + static_cast<std::ptrdiff_t>(n * 15)));
      CHECK(std::equal(one.masks.begin(), one.masks.end(), masks.begin() + static_cast<std::ptrdiff_t>(n * 20)));
    }
    CHECK_THROWS_AS(network.run({images.data(), dets.data(), labels.data(), masks.data()}, 0), rfseg::InputError);
  }
  std::vector<float> image(192), out(20);
  CHECK_THROWS_AS(OnnxNetwork(read_model_file(tiny("batch_of_2")), kLibrary, 1, {})
                      .run({image.data(), out.data(), out.data(), out.data()}, 1),
                  rfseg::InputError);
}
