// Runs one target without libFuzzer: every file of a stored corpus, then new inputs made of it for a while. The inputs
// follow from the corpus and the seed alone; only their number depends on the machine.
//
//   fuzz_TARGET CORPUS [SECONDS [SEED [LAST]]]
//
// LAST is a file that holds the input at work, whatever ends the process: `fuzz_TARGET LAST` shows the fault again.
#include "input.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <random>
#include <vector>

#include <fcntl.h>

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kMostBytes = 4096;  // of an input that grows
constexpr unsigned kMostSeconds = 60;     // of one input: beyond it the process is ended

std::vector<Bytes> corpus_in(const std::filesystem::path& place) {
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(place)) {
    for (const auto& entry : std::filesystem::directory_iterator(place)) files.push_back(entry.path());
  } else {
    files.push_back(place);
  }
  std::sort(files.begin(), files.end());
  std::vector<Bytes> corpus;
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) throw std::runtime_error(file.string() + " cannot be read");
    corpus.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
  return corpus;
}

/// Keeps the input at work in a file.
class Last {
 public:
  explicit Last(const char* path)
      : file_(path == nullptr ? -1 : open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
    if (path != nullptr && file_ < 0) throw std::runtime_error(std::string(path) + " cannot be written");
  }
  void keep(const Bytes& input) const {
    if (file_ < 0) return;
    const auto bytes = static_cast<ssize_t>(input.size());
    if (ftruncate(file_, bytes) != 0 || pwrite(file_, input.data(), input.size(), 0) != bytes)
      throw std::runtime_error("the last input cannot be kept");
  }

 private:
  int file_;
};

class Mutator {
 public:
  Mutator(const std::vector<Bytes>& corpus, std::uint64_t seed) : corpus_(corpus), random_(seed) {}

  Bytes next() {
    if (below(16) == 0) return noise(below(256));
    Bytes input = corpus_[below(corpus_.size())];
    for (std::size_t changes = 1 + below(6); changes > 0; --changes) change(input);
    if (input.size() > kMostBytes) input.resize(kMostBytes);
    return input;
  }

 private:
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }
  std::ptrdiff_t place(const Bytes& input) { return static_cast<std::ptrdiff_t>(below(input.size() + 1)); }

  Bytes noise(std::size_t size) {
    Bytes bytes(size);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random_());
    return bytes;
  }

  /// A few bytes of another input, of nothing in particular, or a number at an edge.
  Bytes piece() {
    static constexpr std::array<std::int64_t, 10> kEdges = {0,     1,         -1,        127,     255,
                                                            65535, INT32_MAX, INT32_MIN, 1 << 24, 2048};
    const Bytes& other = corpus_[below(corpus_.size())];
    const std::size_t from = below(other.size() + 1), bytes = std::min(other.size() - from, 1 + below(32));
    const auto begin = other.begin() + static_cast<std::ptrdiff_t>(from);
    switch (below(3)) {
      case 0:
        return Bytes(begin, begin + static_cast<std::ptrdiff_t>(bytes));
      case 1:
        return noise(1 + below(8));
      default: {
        Bytes number(std::size_t{1} << below(4));
        std::memcpy(number.data(), &kEdges[below(kEdges.size())], number.size());
        return number;
      }
    }
  }

  void change(Bytes& input) {
    const std::ptrdiff_t at = place(input), after = static_cast<std::ptrdiff_t>(input.size()) - at;
    const auto begin = input.begin() + at;
    const Bytes new_bytes = piece();
    const auto length = std::min(after, static_cast<std::ptrdiff_t>(new_bytes.size()));
    switch (below(5)) {
      case 0:
        if (after > 0) *begin = static_cast<std::uint8_t>(*begin ^ (1U << below(8)));
        break;
      case 1:
        input.insert(begin, new_bytes.begin(), new_bytes.end());
        break;
      case 2:
        std::copy_n(new_bytes.begin(), length, begin);
        break;
      case 3:
        input.erase(begin, begin + std::min<std::ptrdiff_t>(after, 1 + place(input) % 16));
        break;
      default:
        if (below(4) == 0) input.erase(begin, input.end());
    }
  }

  const std::vector<Bytes>& corpus_;
  std::mt19937_64 random_;
};

void run(const Bytes& input, const Last& last) {
  last.keep(input);
  alarm(kMostSeconds);
  Bytes exact = input;  // what is read behind its end is read behind an allocation
  exact.shrink_to_fit();
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

}  // namespace

int main(int count, char** arguments) try {
  if (count < 2) throw std::runtime_error("usage: CORPUS [SECONDS [SEED [LAST]]]");
  const std::vector<Bytes> corpus = corpus_in(arguments[1]);
  if (corpus.empty()) throw std::runtime_error(std::string(arguments[1]) + " holds no input");
  const Last last(count > 4 ? arguments[4] : nullptr);
  for (const Bytes& input : corpus) run(input, last);
  const std::chrono::duration<double> most(count > 2 ? std::atof(arguments[2]) : 0);
  Mutator mutator(corpus, count > 3 ? std::strtoull(arguments[3], nullptr, 10) : 1);
  std::size_t made = 0;
  for (const auto start = std::chrono::steady_clock::now(); std::chrono::steady_clock::now() - start < most; ++made)
    run(mutator.next(), last);
  if (most.count() > 0 && made == 0) throw std::runtime_error("no new input was run");
  std::printf("%zu stored and %zu new inputs\n", corpus.size(), made);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
