// A small `ld -r`. One pass places the sections of all inputs, a second builds the symbol table, a
// third rewrites the relocations; then the file is laid out:
//
//   header | section 1 | section 2 | ... | .symtab | .strtab | .shstrtab | section headers
#include "compiler/emit/ObjectMerge.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELF.h"
#include "llvm/Support/Alignment.h"
#include <map>
#include <tuple>
#include <vector>

using namespace cnn;
using llvm::object::ELF64LE;
using Header = ELF64LE::Ehdr;
using SectionHeader = ELF64LE::Shdr;
using ElfSymbol = ELF64LE::Sym;
using Relocation = ELF64LE::Rela;

namespace {
/// One section of the result.
struct Section {
  std::string name;
  uint32_t type = 0;
  uint64_t flags = 0, entrySize = 0, alignment = 1;
  std::string content;
  uint64_t size = 0; // of a section without content (.bss), else content.size()
  std::vector<Relocation> relocations;
};

/// Where a section of an input went; section 0 is none.
struct Place {
  unsigned section = 0;
  uint64_t offset = 0;
};

struct Input {
  llvm::object::ELFFile<ELF64LE> file;
  llvm::ArrayRef<SectionHeader> headers;
  std::vector<Place> places;
  llvm::ArrayRef<ElfSymbol> symbols;
  llvm::StringRef names;
  std::vector<unsigned> symbolIndex; // in the result
};

class Merger {
public:
  llvm::Error add(llvm::StringRef object);
  llvm::Error placeSections(Input &input);
  llvm::Error collectSymbols();
  llvm::Error rewriteRelocations(Input &input);
  std::string write();

  std::vector<Input> inputs;

private:
  unsigned addName(llvm::StringRef name);
  unsigned sectionSymbol(unsigned section);
  llvm::Error addGlobal(Input &input, unsigned index, llvm::StringRef name);

  std::vector<Section> sections{Section()};
  std::map<std::tuple<std::string, uint32_t, uint64_t, uint64_t>, unsigned> sectionIndex;
  std::vector<ElfSymbol> locals{ElfSymbol()};
  std::vector<ElfSymbol> globals;
  std::vector<unsigned> sectionSymbols;
  llvm::StringMap<unsigned> named; // position: locals as they are, globals from `globalBase`
  std::string strings = std::string(1, '\0');
  Header header;

  static constexpr unsigned globalBase = 1u << 31;
};
} // namespace

llvm::Error Merger::add(llvm::StringRef object) {
  auto file = llvm::object::ELFFile<ELF64LE>::create(object);
  if (!file)
    return file.takeError();
  auto headers = file->sections();
  if (!headers)
    return headers.takeError();
  header = file->getHeader();
  inputs.push_back(Input{*file, *headers, {}, {}, {}, {}});
  return llvm::Error::success();
}

llvm::Error Merger::placeSections(Input &input) {
  input.places.resize(input.headers.size());
  for (auto [index, from] : llvm::enumerate(input.headers)) {
    if (from.sh_type == llvm::ELF::SHT_SYMTAB) {
      auto symbols = input.file.symbols(&from);
      auto names = input.file.getStringTableForSymtab(from);
      if (!symbols)
        return symbols.takeError();
      if (!names)
        return names.takeError();
      input.symbols = *symbols;
      input.names = *names;
      continue;
    }
    // What is written anew, or says nothing about the merged file.
    if (llvm::is_contained({llvm::ELF::SHT_NULL, llvm::ELF::SHT_STRTAB, llvm::ELF::SHT_RELA,
                            llvm::ELF::SHT_LLVM_ADDRSIG},
                           from.sh_type))
      continue;
    if (from.sh_type == llvm::ELF::SHT_REL || from.sh_type == llvm::ELF::SHT_GROUP ||
        from.sh_type == llvm::ELF::SHT_SYMTAB_SHNDX)
      return llvm::createStringError("cannot merge an object with sections of type %u",
                                     unsigned(from.sh_type));
    auto name = input.file.getSectionName(from);
    if (!name)
      return name.takeError();
    unsigned &target = sectionIndex[{name->str(), from.sh_type, from.sh_flags, from.sh_entsize}];
    if (!target) {
      target = sections.size();
      sections.push_back({name->str(), from.sh_type, from.sh_flags, from.sh_entsize, 1, {}, 0, {}});
    }
    Section &to = sections[target];
    uint64_t alignment = std::max<uint64_t>(from.sh_addralign, 1);
    to.alignment = std::max(to.alignment, alignment);
    uint64_t offset = llvm::alignTo(to.size, alignment);
    if (from.sh_type != llvm::ELF::SHT_NOBITS) {
      auto content = input.file.getSectionContents(from);
      if (!content)
        return content.takeError();
      to.content.resize(offset, '\0');
      to.content.append(reinterpret_cast<const char *>(content->data()), content->size());
    }
    to.size = offset + from.sh_size;
    input.places[index] = {target, offset};
  }
  return llvm::Error::success();
}

unsigned Merger::addName(llvm::StringRef name) {
  unsigned offset = strings.size();
  strings += name;
  strings += '\0';
  return offset;
}

unsigned Merger::sectionSymbol(unsigned section) {
  sectionSymbols.resize(sections.size());
  if (!sectionSymbols[section]) {
    ElfSymbol symbol{};
    symbol.setBindingAndType(llvm::ELF::STB_LOCAL, llvm::ELF::STT_SECTION);
    symbol.st_shndx = section;
    sectionSymbols[section] = locals.size();
    locals.push_back(symbol);
  }
  return sectionSymbols[section];
}

/// A symbol that other objects may name: one entry for all of them.
llvm::Error Merger::addGlobal(Input &input, unsigned index, llvm::StringRef name) {
  const ElfSymbol &from = input.symbols[index];
  bool defined = from.st_shndx != llvm::ELF::SHN_UNDEF;
  auto [known, isNew] = named.try_emplace(name, 0);
  ElfSymbol *symbol = nullptr;
  if (!isNew)
    symbol =
        known->second >= globalBase ? &globals[known->second - globalBase] : &locals[known->second];
  if (symbol && symbol->st_shndx != llvm::ELF::SHN_UNDEF) {
    if (defined)
      return llvm::createStringError("symbol '" + name.str() + "' is defined twice");
  } else if (!symbol || defined) {
    ElfSymbol fresh = from;
    fresh.st_name = symbol ? unsigned(symbol->st_name) : addName(name);
    if (defined && from.st_shndx < llvm::ELF::SHN_LORESERVE) {
      const Place &place = input.places[from.st_shndx];
      fresh.st_shndx = place.section;
      fresh.st_value = from.st_value + place.offset;
    }
    if (symbol) {
      *symbol = fresh;
    } else {
      known->second = globalBase + globals.size();
      globals.push_back(fresh);
    }
  }
  input.symbolIndex[index] = known->second;
  return llvm::Error::success();
}

llvm::Error Merger::collectSymbols() {
  for (Input &input : inputs) {
    input.symbolIndex.assign(input.symbols.size(), 0);
    for (auto [index, from] : llvm::enumerate(input.symbols)) {
      if (index == 0 || from.getType() == llvm::ELF::STT_FILE)
        continue;
      auto name = from.getName(input.names);
      if (!name)
        return name.takeError();
      if (from.getBinding() != llvm::ELF::STB_LOCAL) {
        if (llvm::Error error = addGlobal(input, index, *name))
          return error;
        continue;
      }
      const Place &place = input.places[from.st_shndx];
      if (from.getType() == llvm::ELF::STT_SECTION) {
        if (place.section)
          input.symbolIndex[index] = sectionSymbol(place.section);
        continue;
      }
      ElfSymbol symbol = from;
      symbol.st_name = addName(*name);
      symbol.st_shndx = place.section;
      symbol.st_value = from.st_value + place.offset;
      input.symbolIndex[index] = locals.size();
      locals.push_back(symbol);
    }
  }
  // Hidden definitions are local from now on.
  std::vector<unsigned> finalIndex(globals.size());
  std::vector<ElfSymbol> kept;
  for (auto [index, symbol] : llvm::enumerate(globals)) {
    if (symbol.getVisibility() != llvm::ELF::STV_HIDDEN || symbol.st_shndx == llvm::ELF::SHN_UNDEF)
      continue;
    symbol.setBinding(llvm::ELF::STB_LOCAL);
    symbol.setVisibility(llvm::ELF::STV_DEFAULT);
    finalIndex[index] = locals.size();
    locals.push_back(symbol);
  }
  for (auto [index, symbol] : llvm::enumerate(globals)) {
    if (finalIndex[index])
      continue;
    finalIndex[index] = locals.size() + kept.size();
    kept.push_back(symbol);
  }
  globals = std::move(kept);
  for (Input &input : inputs)
    for (unsigned &index : input.symbolIndex)
      if (index >= globalBase)
        index = finalIndex[index - globalBase];
  return llvm::Error::success();
}

llvm::Error Merger::rewriteRelocations(Input &input) {
  for (const SectionHeader &from : input.headers) {
    if (from.sh_type != llvm::ELF::SHT_RELA)
      continue;
    const Place &place = input.places[from.sh_info];
    if (!place.section)
      continue;
    auto relocations = input.file.relas(from);
    if (!relocations)
      return relocations.takeError();
    for (const Relocation &old : *relocations) {
      Relocation relocation = old;
      unsigned index = old.getSymbol(/*isMips64EL=*/false);
      const ElfSymbol &symbol = input.symbols[index];
      relocation.r_offset = old.r_offset + place.offset;
      // The symbol of a section is that of the merged one, which starts earlier.
      if (symbol.getType() == llvm::ELF::STT_SECTION)
        relocation.r_addend = old.r_addend + input.places[symbol.st_shndx].offset;
      relocation.setSymbolAndType(input.symbolIndex[index], old.getType(false), false);
      sections[place.section].relocations.push_back(relocation);
    }
  }
  return llvm::Error::success();
}

namespace {
/// The file under construction: contents first, then the headers.
class Writer {
public:
  explicit Writer(size_t headerSize) : content(headerSize, '\0') {}

  /// Appends a section and returns its header's position.
  unsigned append(SectionHeader header, llvm::StringRef name, llvm::StringRef bytes) {
    content.resize(llvm::alignTo(content.size(), std::max<uint64_t>(header.sh_addralign, 1)), '\0');
    header.sh_name = names.size();
    header.sh_offset = content.size();
    names += name;
    names += '\0';
    content += bytes;
    headers.push_back(header);
    return headers.size() - 1;
  }

  std::string content;
  std::string names = std::string(1, '\0');
  std::vector<SectionHeader> headers{SectionHeader()};
};

template <typename T> llvm::StringRef bytesOf(const std::vector<T> &values) {
  return {reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T)};
}
} // namespace

std::string Merger::write() {
  Writer writer(sizeof(Header));
  auto makeHeader = [](uint32_t type, uint64_t flags, uint64_t size, uint64_t alignment,
                       uint64_t entrySize, uint32_t link = 0, uint32_t info = 0) {
    SectionHeader header{};
    header.sh_type = type;
    header.sh_flags = flags;
    header.sh_size = size;
    header.sh_addralign = alignment;
    header.sh_entsize = entrySize;
    header.sh_link = link;
    header.sh_info = info;
    return header;
  };
  for (const Section &section : llvm::drop_begin(sections))
    writer.append(
        makeHeader(section.type, section.flags, section.size, section.alignment, section.entrySize),
        section.name, section.content);
  unsigned withRelocations =
      llvm::count_if(sections, [](const Section &section) { return !section.relocations.empty(); });
  unsigned symbolTable = sections.size() + withRelocations;
  for (auto [index, section] : llvm::enumerate(sections))
    if (!section.relocations.empty())
      writer.append(makeHeader(llvm::ELF::SHT_RELA, llvm::ELF::SHF_INFO_LINK,
                               section.relocations.size() * sizeof(Relocation), 8,
                               sizeof(Relocation), symbolTable, index),
                    ".rela" + section.name, bytesOf(section.relocations));
  std::vector<ElfSymbol> symbols = locals;
  llvm::append_range(symbols, globals);
  writer.append(makeHeader(llvm::ELF::SHT_SYMTAB, 0, symbols.size() * sizeof(ElfSymbol), 8,
                           sizeof(ElfSymbol), symbolTable + 1, locals.size()),
                ".symtab", bytesOf(symbols));
  writer.append(makeHeader(llvm::ELF::SHT_STRTAB, 0, strings.size(), 1, 0), ".strtab", strings);
  std::string names = writer.names + std::string(".shstrtab") + '\0';
  writer.append(makeHeader(llvm::ELF::SHT_STRTAB, 0, names.size(), 1, 0), ".shstrtab", names);

  std::string &file = writer.content;
  file.resize(llvm::alignTo(file.size(), 8), '\0');
  header.e_shoff = file.size();
  header.e_shnum = writer.headers.size();
  header.e_shstrndx = writer.headers.size() - 1;
  file += bytesOf(writer.headers);
  file.replace(0, sizeof(Header), reinterpret_cast<const char *>(&header), sizeof(Header));
  return std::move(file);
}

llvm::Expected<std::string> cnn::mergeObjects(llvm::ArrayRef<llvm::StringRef> objects) {
  Merger merger;
  for (llvm::StringRef object : objects)
    if (llvm::Error error = merger.add(object))
      return error;
  for (Input &input : merger.inputs)
    if (llvm::Error error = merger.placeSections(input))
      return error;
  if (llvm::Error error = merger.collectSymbols())
    return error;
  for (Input &input : merger.inputs)
    if (llvm::Error error = merger.rewriteRelocations(input))
      return error;
  return merger.write();
}
