// Files in memory, and short ways to read them, for the tests of the readers.
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "examples/common/data/example_reader.h"
#include "examples/common/data/schema_json.h"

namespace longtail::examples::test {

/// Name -> bytes.
using Files = std::map<std::string, std::string>;

/// Opens what `files` holds and nothing else.
inline FileOpener OpenerOf(Files files) {
  return [files = std::move(files)](
             const std::string& path) -> absl::StatusOr<std::unique_ptr<ByteSource>> {
    const auto found = files.find(path);
    if (found == files.end()) return absl::NotFoundError(absl::StrCat(path, ": no such file"));
    return OpenMemory(path, found->second);
  };
}

/// The schema that `text` describes; the test fails if it is none.
inline Schema SchemaOf(const std::string& text) {
  absl::StatusOr<Schema> schema = ParseSchema(text, "schema", "");
  INFO(schema.status().ToString());
  REQUIRE(schema.ok());
  return *schema;
}

/// The message with which `text` is refused as a schema.
inline std::string SchemaError(const std::string& text) {
  const absl::StatusOr<Schema> schema = ParseSchema(text, "s.json", "");
  return std::string(schema.status().message());
}

inline std::unique_ptr<ExampleReader> OpenReader(const Schema& schema, const std::string& split,
                                                 ReaderOptions options) {
  absl::StatusOr<std::unique_ptr<ExampleReader>> reader =
      ExampleReader::Open(schema, split, std::move(options));
  INFO(reader.status().ToString());
  REQUIRE(reader.ok());
  return *std::move(reader);
}

inline ReaderOptions In(Files files) {
  ReaderOptions options;
  options.opener = OpenerOf(std::move(files));
  return options;
}

/// The next batch, which must come.
inline Batch NextOf(BatchSource& source, std::size_t n) {
  Batch batch;
  const absl::Status status = source.Next(n, batch);
  INFO(status.ToString());
  REQUIRE(status.ok());
  return batch;
}

/// All examples of split "all" of `text` over `files`, as one batch.
inline Batch ReadAll(const std::string& text, Files files) {
  return NextOf(*OpenReader(SchemaOf(text), "all", In(std::move(files))), 1 << 20);
}

/// The message with which reading that fails, on opening or at an example.
inline std::string ReadError(const std::string& text, Files files) {
  absl::StatusOr<std::unique_ptr<ExampleReader>> reader =
      ExampleReader::Open(SchemaOf(text), "all", In(std::move(files)));
  if (!reader.ok()) return std::string(reader.status().message());
  Batch batch;
  return std::string((*reader)->Next(1 << 20, batch).message());
}

/// The keys of field `f` of example `e`.
inline std::vector<Key> KeysOf(const Batch& batch, std::size_t e, std::size_t f) {
  const std::size_t at = e * batch.field_count + f;
  return {batch.keys.begin() + batch.offsets[at], batch.keys.begin() + batch.offsets[at + 1]};
}

inline bool Equal(const Batch& a, const Batch& b) {
  return a.size == b.size && a.numeric_count == b.numeric_count && a.field_count == b.field_count &&
         a.labels == b.labels && a.numeric == b.numeric && a.keys == b.keys &&
         a.offsets == b.offsets && a.values == b.values && a.groups == b.groups;
}

/// Where the real data sets are, if the machine has them.
inline std::optional<std::string> DataDirectory() {
  const char* const directory = std::getenv("LONGTAIL_DATA");
  if (directory != nullptr) return directory;
  std::cout << "[skip] LONGTAIL_DATA is not set\n";
  return {};
}

}  // namespace longtail::examples::test
