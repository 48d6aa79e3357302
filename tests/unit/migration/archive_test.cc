#include "whimbrel/migration/archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "archives.h"
#include "sources.h"

namespace whimbrel::migration {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kOrigin = "ConfigMap shop/sql, key migrations.tar.gz";

/// `path: text` of each file, one a line; or `error: …`.
std::string FilesOf(std::string_view tar_gz) {
  MemorySourceBuilder builder;
  if (const Result<void> added = AddArchive(tar_gz, kOrigin, builder); !added) {
    EXPECT_EQ(added.error().kind, ErrorKind::kInvalidArgument);
    return "error: " + added.error().message;
  }
  const std::shared_ptr<const Source> source = std::move(builder).Build();
  std::string lines;
  for (const SourceFilePtr& file : source->files) {
    lines += file->path() + ": " + *file->bytes() + "\n";
  }
  return lines;
}

/// A file after an extended header.
std::string Extended(char type, const std::string& text, TarPart file) {
  return Tar({.path = "PaxHeaders/x", .content = text, .type = type}) + Tar(file);
}

std::string Base256(std::uint64_t number) {
  std::string field(12, '\0');
  for (std::size_t i = 12; i-- > 0; number >>= 8) field[i] = static_cast<char>(number & 0xff);
  field[0] = '\x80';
  return field;
}

struct Case {
  const char* sentence;
  std::string tar;       ///< Without its end.
  std::string expected;  ///< What FilesOf prints; for an error, a part of it.
};

const std::string kLong(180, 'd');

std::vector<Case> Accepted() {
  const std::string gnu("ustar  \0", 8);
  return {
      {"an archive may hold nothing", "", ""},
      {"files keep their bytes and their paths",
       Tar({.path = "b/2.sql", .content = "select 2"}) + Tar({.path = "1.sql"}),
       "1.sql: \nb/2.sql: select 2\n"},
      {"`./` in front of a path is no part of it",
       Tar({.path = "./", .type = '5'}) + Tar({.path = "./1.sql", .content = "a"}), "1.sql: a\n"},
      {"one folder around all files stays", Tar({.path = "migrations/1.sql", .content = "a"}),
       "migrations/1.sql: a\n"},
      {"folders are no files",
       Tar({.path = "a/", .type = '5'}) + Tar({.path = "b", .type = '5'}) +
           Tar({.path = ".", .type = '5'}) + Tar({.path = "old/", .type = '\0', .magic = ""}),
       ""},
      {"hidden files, also of macOS, are left out wherever they are",
       Tar({.path = "._1.sql", .content = "x"}) + Tar({.path = ".git/1.sql", .content = "x"}) +
           Tar({.path = "a/.b/1.sql", .content = "x"}) + Tar({.path = "1.sql", .content = "a"}),
       "1.sql: a\n"},
      {"v7 has no magic, and NUL as the type of a file",
       Tar({.path = "1.sql", .content = "a", .type = '\0', .magic = ""}), "1.sql: a\n"},
      {"a contiguous file is a file", Tar({.path = "1.sql", .content = "a", .type = '7'}),
       "1.sql: a\n"},
      {"ustar has the folders of a long path in a second field",
       Tar({.path = "1.sql", .content = "a", .prefix = "p/q"}), "p/q/1.sql: a\n"},
      {"GNU tar has something else there",
       Tar({.path = "1.sql", .content = "a", .magic = gnu, .prefix = "14000000000"}), "1.sql: a\n"},
      {"GNU tar's long name stands before the file",
       Extended('L', kLong + "/1.sql" + '\0', {.path = "ddd", .content = "a", .magic = gnu}),
       kLong + "/1.sql: a\n"},
      {"a name of 100 bytes has no NUL at its end",
       Tar({.path = std::string(100, 'n'), .content = "a"}), std::string(100, 'n') + ": a\n"},
      {"sizes may be binary numbers", Tar({.path = "1.sql", .content = "abc", .size = Base256(3)}),
       "1.sql: abc\n"},
      {"sizes may have spaces around them",
       Tar({.path = "1.sql", .content = "abc", .size = "         3  "}), "1.sql: abc\n"},
      {"pax gives path and size, and much that does not matter",
       Extended('x',
                PaxRecord("mtime", "1.5") + PaxRecord("path", "ä/1.sql") + PaxRecord("size", "3") +
                    PaxRecord("SCHILY.xattr.user.a", "b=\n c"),
                {.path = "old", .content = "abc", .size = Octal(0)}),
       "ä/1.sql: abc\n"},
      {"pax can take back a path",
       Extended('x', PaxRecord("path", "b") + PaxRecord("path", ""),
                {.path = "1.sql", .content = "a"}),
       "1.sql: a\n"},
      {"an extended header is about one file",
       Extended('x', PaxRecord("path", "b.sql"), {.path = "a.sql"}) + Tar({.path = "c.sql"}),
       "b.sql: \nc.sql: \n"},
      {"git writes its commit for all files",
       Tar({.path = "pax_global_header", .content = PaxRecord("comment", "1f"), .type = 'g'}) +
           Tar({.path = "1.sql", .content = "a"}),
       "1.sql: a\n"},
  };
}

TEST(ArchiveTest, ReadsWhatTarsAreMadeOf) {
  for (const Case& row : Accepted()) {
    EXPECT_EQ(FilesOf(Gzip(row.tar + TarEnd())), row.expected) << row.sentence;
  }
}

std::vector<Case> Refused() {
  const auto type = [](char byte) { return Tar({.path = "a/x.sql", .type = byte}); };
  const std::string file = Tar({.path = "1.sql", .content = "a"});
  std::string damaged = file;
  damaged[0] = '2';
  return {
      {"a path above the source", Tar({.path = "a/../../x.sql"}), "`a/../../x.sql`"},
      {"a path above the source that `./` hides", Tar({.path = "./../x.sql"}), "`../x.sql`"},
      {"a folder above the source", Tar({.path = "../", .type = '5'}), "`..`"},
      {"an absolute path", Tar({.path = "/etc/x.sql"}), "`/etc/x.sql`"},
      {"an absolute path that `./` hides", Tar({.path = ".//x.sql"}), "`/x.sql`"},
      {"a path with backslashes", Tar({.path = "..\\x.sql"}), "holds a backslash"},
      {"a path that is not UTF-8", Tar({.path = "\xff.sql"}), "is not valid UTF-8"},
      {"a path with a line break", Tar({.path = "a\nb.sql"}), "`a?b.sql`"},
      {"a path with a NUL, by pax",
       Extended('x', PaxRecord("path", std::string("1.sql\0.txt", 10)), {.path = "1"}),
       "`1.sql?.txt`"},
      {"a path with a NUL, by GNU tar",
       Extended('L', std::string("1.sql\0../../x\0", 14), {.path = "1"}), "`1.sql?../../x`"},
      {"a path above the source by pax", Extended('x', PaxRecord("path", "../x"), {.path = "1"}),
       "`../x`"},
      {"a path above the source by GNU tar", Extended('L', "../x", {.path = "1"}), "`../x`"},
      {"a path above the source by the prefix", Tar({.path = "x", .prefix = ".."}), "`../x`"},
      {"no path", Tar({.path = ""}), "is empty"},
      {"a file whose path ends as a folder's", Tar({.path = "a/", .content = "x"}),
       "ends with `/`"},
      {"a hard link", type('1'), "`a/x.sql` is a hard link"},
      {"a symbolic link", type('2'), "`a/x.sql` is a symbolic link: pack what it points to"},
      {"a hidden link", Tar({.path = ".x", .type = '2'}), "`.x` is a symbolic link"},
      {"a character device", type('3'), "`a/x.sql` is a device"},
      {"a block device", type('4'), "`a/x.sql` is a device"},
      {"a FIFO", type('6'), "`a/x.sql` is a FIFO"},
      {"a sparse file of GNU tar", type('S'), "`a/x.sql` is a sparse file"},
      {"a sparse file of pax", Extended('x', PaxRecord("GNU.sparse.major", "1"), {.path = "s.sql"}),
       "`s.sql` is a sparse file"},
      {"a part of several volumes", type('M'),
       "`a/x.sql` is of a type that Whimbrel does not know"},
      {"a type of the future", type('9'), "(byte 57)"},
      {"a folder with content", Tar({.path = "a", .content = "x", .type = '5'}),
       "`a` is a folder with content"},
      {"the same path twice", file + file,
       "1.sql is in ConfigMap shop/sql, key migrations.tar.gz twice"},
      {"the same path twice, once with `./`", file + Tar({.path = "./1.sql"}), "twice"},
      {"a damaged header", file + damaged, "byte 1024 of the unpacked archive is no header of tar"},
      {"no tar at all", std::string(512, 'x'), "byte 0 of the unpacked archive is no header"},
      {"a size that is no number", Tar({.path = "1.sql", .size = "0000000000x"}), "size"},
      {"a size with something behind it", Tar({.path = "1.sql", .size = "1 1"}), "size"},
      {"a negative size", Tar({.path = "1.sql", .size = std::string(12, '\xff')}), "size"},
      {"a size beyond 64 bits", Tar({.path = "1.sql", .size = "\x80\x01" + std::string(10, '\0')}),
       "size"},
      {"a file above its limit", Tar({.path = "1.sql", .size = Octal(kMaxMemoryFileBytes + 1)}),
       "`1.sql` has 16777217 bytes; at most 16777216"},
      {"a file above its limit by pax",
       Extended('x', PaxRecord("size", "18446744073709551615"), {.path = "1.sql"}),
       "`1.sql` has 18446744073709551615 bytes"},
      {"an extended header above its limit",
       Tar({.path = "p", .type = 'x', .size = Octal((1U << 20) + 1)}),
       "`p` has 1048577 bytes; at most 1048576"},
      {"an extended header without a file",
       Tar({.path = "p", .content = PaxRecord("path", "a"), .type = 'x'}),
       "ends after an extended"},
      {"two names for one file, by pax and by GNU tar",
       Tar({.path = "p", .content = PaxRecord("path", "a"), .type = 'x'}) +
           Extended('L', "b", {.path = "c"}),
       "is a second extended header"},
      {"one path for all files",
       Tar({.path = "p", .content = PaxRecord("path", "a"), .type = 'g'}) + file, "`p` gives all"},
  };
}

TEST(ArchiveTest, RefusesWhatCouldBeReadInTwoWaysOrLeadElsewhere) {
  for (const Case& row : Refused()) {
    EXPECT_THAT(FilesOf(Gzip(row.tar + TarEnd())),
                AllOf(StartsWith("error: "), HasSubstr(kOrigin), HasSubstr(row.expected)))
        << row.sentence;
  }
}

TEST(ArchiveTest, RefusesRecordsOfPaxThatDoNotAddUp) {
  for (const std::string& text : std::vector<std::string>{
           "x", "5 a=b", "6 a=b\nx", "7 a=b\n", "5 a=b\n", "6 a:b\n", "6 =ab\n", "0 a=b\n", "2 \n",
           " a=b\n", "-6 a=b\n", "99999999999999999999 a=b\n", PaxRecord("size", "-1"),
           PaxRecord("size", "0x1"), PaxRecord("size", "99999999999999999999")}) {
    EXPECT_THAT(FilesOf(Gzip(Extended('x', text, {.path = "1"}) + TarEnd())),
                HasSubstr("`PaxHeaders/x` has an extended header that cannot be read"))
        << text;
  }
}

TEST(ArchiveTest, ReadsSeveralGzipMembersAsOne) {
  const std::string tar = Tar({.path = "1.sql", .content = "select 1"}) + TarEnd();
  for (const std::size_t cut : {0U, 1U, 512U, 700U}) {
    EXPECT_EQ(FilesOf(Gzip(tar.substr(0, cut)) + Gzip("") + Gzip(tar.substr(cut))),
              "1.sql: select 1\n")
        << cut;
  }
}

TEST(ArchiveTest, NoticesEachByteThatIsMissing) {
  const std::string whole =
      Gzip(Extended('x', PaxRecord("path", "a"), {.path = "1.sql", .content = "a"}) + TarEnd());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THAT(FilesOf(whole.substr(0, length)), StartsWith("error: ")) << length;
  }
  const std::string tar = Tar({.path = "1.sql", .content = "a"}) + TarEnd();
  for (std::size_t length = 0; length < tar.size(); ++length) {
    EXPECT_THAT(FilesOf(Gzip(tar.substr(0, length))), HasSubstr("is cut short")) << length;
  }
}

TEST(ArchiveTest, NoticesEachBitOfTheContentThatTurned) {
  // Stored, not packed: then a turned bit is the sum's matter alone.
  const std::string whole = Gzip(Tar({.path = "1.sql", .content = "abc"}) + TarEnd(), 0);
  const std::size_t content = whole.find("abc");
  for (int bit = 0; bit < 8; ++bit) {
    std::string turned = whole;
    turned[content] = static_cast<char>(turned[content] ^ (1 << bit));
    EXPECT_THAT(FilesOf(turned), HasSubstr("is damaged (incorrect data check)")) << bit;
  }
}

TEST(ArchiveTest, RefusesWhatFollowsTheEnd) {
  const std::string tar = Tar({.path = "1.sql"}) + TarEnd();
  EXPECT_EQ(FilesOf(Gzip(tar + std::string(100'000, '\0'))), "1.sql: \n") << "tar fills a record";
  for (const std::string& bytes :
       {Gzip(tar + "x"), Gzip(tar + std::string(100'000, '\0') + "x"), Gzip(tar) + "x",
        Gzip(tar) + std::string(1, '\0'), Gzip(tar) + "\x1f", Gzip(tar) + Gzip(tar),
        Gzip(Tar({.path = "1.sql"}) + std::string(512, '\0') + tar)}) {
    EXPECT_THAT(FilesOf(bytes), HasSubstr("bytes after the end of the archive"));
  }
}

TEST(ArchiveTest, SaysWhatIsNoArchive) {
  for (const std::string& bytes :
       std::vector<std::string>{"", "H4sIAAAA", Tar({.path = "1.sql"}), "PK\x03\x04", "\x1f"}) {
    EXPECT_THAT(FilesOf(bytes), HasSubstr("is not gzip: pack it with `tar -czf`"));
  }
}

TEST(ArchiveTest, StopsUnpackingAtTheLimit) {
  std::string tar;
  for (int i = 0; i < 5; ++i) {
    tar += Tar({.path = std::to_string(i), .content = std::string(kMaxMemoryFileBytes, '\0')});
  }
  const std::string bomb = Gzip(tar);
  EXPECT_LT(bomb.size(), std::size_t{1} << 20) << "it would fit into a ConfigMap";
  EXPECT_THAT(FilesOf(bomb), HasSubstr("unpacks to more than 64 MiB"));
  EXPECT_THAT(FilesOf(Gzip(Tar({.path = "1.sql"}) + std::string(kMaxArchiveBytes, '\0'))),
              HasSubstr("unpacks to more than 64 MiB"))
      << "also after the end";
}

TEST(ArchiveTest, CountsEntriesThatAreNoFilesToo) {
  std::string tar;
  for (std::size_t i = 0; i < kMaxArchiveEntries; ++i) tar += Tar({.path = "a/", .type = '5'});
  EXPECT_EQ(FilesOf(Gzip(tar + TarEnd())), "");
  EXPECT_THAT(FilesOf(Gzip(tar + Tar({.path = "1.sql"}) + TarEnd())),
              HasSubstr("more than 10000 entries"));
}

TEST(ArchiveTest, DigestIsThatOfTheFilesAndNotOfTheArchive) {
  MemorySourceBuilder builder;
  ASSERT_TRUE(AddArchive(Gzip(Tar({.path = "./b/2.sql", .content = "2"}) +
                              Tar({.path = "./1.sql", .content = "1"}) + TarEnd()),
                         kOrigin, builder));
  EXPECT_EQ(std::move(builder).Build()->digest,
            InMemory({{"1.sql", "1"}, {"b/2.sql", "2"}})->digest);
}

}  // namespace
}  // namespace whimbrel::migration
