// Looks at foreign objects without trusting them. Never calls a method that was not found to be code.
#include "network/tensorrt/object.hpp"

#include <rfseg/error.hpp>

#include <fcntl.h>
#include <link.h>
#include <unistd.h>

#include <array>

namespace rfseg::network::tensorrt {

namespace {

constexpr std::size_t kMostPeeked = 512;  // below what a pipe takes in one piece

/// Copies from memory that may not be mapped: the kernel checks the address when it fills the pipe.
bool peek(const void* from, void* to, std::size_t bytes) {
  std::array<int, 2> ends{};
  if (bytes > kMostPeeked || pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return false;
  const auto expected = static_cast<ssize_t>(bytes);
  const bool copied = write(ends[1], from, bytes) == expected && read(ends[0], to, bytes) == expected;
  close(ends[0]);
  close(ends[1]);
  return copied;
}

struct Mapping {
  std::uintptr_t library = 0;
  bool executable = false;
};

struct MappingQuestion {
  std::uintptr_t address;
  Mapping answer;
};

int answer_for_library(dl_phdr_info* info, std::size_t, void* data) {
  auto& question = *static_cast<MappingQuestion*>(data);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    const std::uintptr_t begin = info->dlpi_addr + header.p_vaddr;
    if (header.p_type != PT_LOAD || question.address < begin || question.address >= begin + header.p_memsz) continue;
    // A library linked at 0 and loaded there does not exist; the main program may report 0, hence the 1.
    question.answer = {info->dlpi_addr == 0 ? 1 : info->dlpi_addr, (header.p_flags & PF_X) != 0};
    return 1;
  }
  return 0;
}

Mapping mapping_of(const void* address) {
  MappingQuestion question{reinterpret_cast<std::uintptr_t>(address), {}};
  dl_iterate_phdr(answer_for_library, &question);
  return question.answer;
}

bool is_code(const void* address) { return mapping_of(address).executable; }

bool no_address(const void* address) {
  const auto value = reinterpret_cast<std::uintptr_t>(address);
  return value < kLowestObjectAddress || value % sizeof(void*) != 0;
}

}  // namespace

bool readable(const void* address, std::size_t bytes) {
  std::array<char, kMostPeeked> ignored;
  return peek(address, ignored.data(), bytes);
}

std::uintptr_t library_of(const void* address) { return mapping_of(address).library; }

void throw_mismatch(const std::string& what, const std::string& reason) {
  throw BackendError("TensorRT interface check: " + what + ": " + reason +
                     "; this build of TensorRT is not driven, use another 10.x or 11.x release");
}

std::string check_object(void* object, const ObjectLook& look) {
  const auto expect = [&look](bool holds, const char* reason) {
    if (!holds) throw_mismatch(look.what, reason);
  };
  std::array<void*, 2> words{};
  expect(!no_address(object) && peek(object, words.data(), sizeof words), "the address is not readable");
  const auto [destructors, implementation] = words;

  const std::uintptr_t holder = no_address(destructors) ? 0 : library_of(destructors);
  expect(holder != 0, "it has no method table in a loaded library");
  expect(look.library == 0 || holder == look.library, "its method table is not in the opened library");
  expect(peek(destructors, words.data(), sizeof words), "its method table is not readable");
  expect(is_code(words[0]) && is_code(words[1]), "a destructor entry is no code");

  void* methods = nullptr;
  expect(!no_address(implementation) && peek(implementation, &methods, sizeof methods), "it has no implementation");
  expect(!no_address(methods) && library_of(methods) != 0,
         "its implementation has no method table in a loaded library");
  std::array<void*, kMostPeeked / sizeof(void*)> entries{};
  const auto count = static_cast<std::size_t>(look.last) + 1;
  expect(peek(methods, entries.data(), count * sizeof(void*)), "its implementation's method table is too short");
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_code(entries[i])) throw_mismatch(look.what, "entry " + std::to_string(i) + " of its methods is no code");
  }
  if (call<void*>(object, look.self) == object) return {};
  return std::string(look.what) + ": the implementation names another object as its own";
}

}  // namespace rfseg::network::tensorrt
