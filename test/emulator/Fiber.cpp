// Stacks, and the switch between them (x86-64, System V).
#include "test/emulator/Fiber.h"

#include <cstdlib>
#include <sys/mman.h>

#ifndef __x86_64__
#error "the emulator switches stacks in x86-64 assembly"
#endif

asm(R"(
.text
.globl cnnEmulatorSwitch
.hidden cnnEmulatorSwitch
.type cnnEmulatorSwitch, @function
cnnEmulatorSwitch:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
.size cnnEmulatorSwitch, .-cnnEmulatorSwitch
)");

namespace cnn::emulator {

Stacks::~Stacks() {
  for (char *chunk : chunks)
    munmap(chunk, perChunk * stackBytes);
}

unsigned Stacks::take() {
  if (free.empty()) {
    void *memory = mmap(nullptr, perChunk * stackBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
      std::abort();
    chunks.push_back(static_cast<char *>(memory));
    for (unsigned i = 0; i < perChunk; ++i) {
      mprotect(chunks.back() + i * stackBytes, 4096, PROT_NONE);
      free.push_back(chunks.size() * perChunk - 1 - i);
    }
  }
  unsigned number = free.back();
  free.pop_back();
  return number;
}

void Stacks::releaseAll() {
  free.clear();
  for (unsigned i = chunks.size() * perChunk; i-- > 0;)
    free.push_back(i);
}

char *Stacks::top(unsigned number) const {
  char *end = chunks[number / perChunk] + (number % perChunk + 1) * stackBytes;
  return end - 64 - number % 16 * 192;
}

bool Stacks::contains(const char *address) const {
  for (const char *chunk : chunks)
    if (address >= chunk && address < chunk + perChunk * stackBytes)
      return true;
  return false;
}

void *prepareFiber(char *top, void (*entry)()) {
  // As if `entry` had been called: the stack is 8 bytes off a multiple of 16 at its start.
  void **stack = reinterpret_cast<void **>(top);
  *--stack = nullptr;
  *--stack = reinterpret_cast<void *>(entry);
  return stack - 6;
}

} // namespace cnn::emulator
