// Reads who did what: files of users' interactions with items, compressed or not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/common/data/example_reader.h"
#include "examples/recommender/id_table.h"

namespace longtail::examples::recommender {

struct Interaction {
  std::uint32_t user = 0;  ///< Numbers of IdTables.
  std::uint32_t item = 0;
  float rating = 1;       ///< 1 where the file has none.
  std::int64_t time = 0;  ///< 0 where the file has none: then the order of lines counts.

  bool operator==(const Interaction&) const = default;
};

enum class FileLayout : std::uint8_t {
  kColumns,  ///< One interaction a line.
  kLists,    ///< A user and all of their items a line, separated by spaces.
};

/// How a file is to be read. Columns count from 1; 0: the file has no such column.
struct FileFormat {
  FileLayout layout = FileLayout::kColumns;
  std::string separator = "\t";
  bool header = false;
  std::uint32_t user_column = 1;
  std::uint32_t item_column = 2;
  std::uint32_t rating_column = 0;
  std::uint32_t time_column = 0;
};

/// Lines that could not be read and were left out.
struct BadLines {
  std::uint64_t count = 0;
  std::vector<std::string> messages;  ///< Of the first kBadLineMessagesMax.
};

/// What users are, what items are, and what was left out, over all files of a data set.
struct Names {
  IdTable users;
  IdTable items;
  BadLines bad_lines;
};

/// Reads a file, in the order of its lines.
///
/// Errors: NotFound, Unavailable, DataLoss from the file; InvalidArgument "file:line:column: …" for
///         a bad line, unless those are skipped.
absl::StatusOr<std::vector<Interaction>> ReadInteractions(const std::string& path,
                                                          const FileFormat& format,
                                                          OnBadLine on_bad_line, Names& names);

/// Where the titles of items are: one item a line. Columns count from 1.
struct TitleFile {
  std::string path;  ///< Empty: there are none.
  std::string separator = ",";
  bool header = false;
  std::uint32_t item_column = 1;
  std::uint32_t title_column = 2;
  std::uint32_t note_column = 0;  ///< Something else worth showing, such as genres; 0: none.
};

struct Title {
  std::string text;
  std::string note;
};

/// [items.size()] the titles of the items that the table knows; others are passed over.
///
/// Errors: as ReadInteractions.
absl::StatusOr<std::vector<Title>> ReadTitles(const TitleFile& file, OnBadLine on_bad_line,
                                              Names& names);

}  // namespace longtail::examples::recommender
