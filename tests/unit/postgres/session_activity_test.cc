#include "whimbrel/postgres/session_activity.h"

#include <gtest/gtest.h>

namespace whimbrel::postgres {
namespace {

struct ProgressCase {
  const char* description;
  CommandProgress progress;
  const char* text;
};

TEST(CommandProgressTest, SaysWhatTheServerDoesAndHowFarItIs) {
  const ProgressCase kCases[] = {
      {"an index build scans its table",
       {.command = "CREATE INDEX CONCURRENTLY",
        .phase = "building index: scanning table",
        .blocks_done = 43,
        .blocks_total = 100},
       "building index: scanning table, 43 %"},
      {"blocks that the scan left behind mean nothing while it sorts",
       {.command = "CREATE INDEX",
        .phase = "building index: sorting live tuples",
        .blocks_done = 100,
        .blocks_total = 100,
        .tuples_done = 1,
        .tuples_total = 2},
       "building index: sorting live tuples"},
      {"tuples are loaded into the tree",
       {.command = "CREATE INDEX",
        .phase = "building index: loading tuples in tree",
        .blocks_done = 100,
        .blocks_total = 100,
        .tuples_done = 1,
        .tuples_total = 3},
       "building index: loading tuples in tree, 33 %"},
      {"it waits for others",
       {.command = "CREATE INDEX CONCURRENTLY",
        .phase = "waiting for old snapshots",
        .blocks_done = 9,
        .blocks_total = 9,
        .lockers_done = 1,
        .lockers_total = 3},
       "building index: waiting for old snapshots (1 of 3)"},
      {"an index is validated",
       {.command = "CREATE INDEX CONCURRENTLY",
        .phase = "index validation: scanning table",
        .blocks_done = 1,
        .blocks_total = 2},
       "building index: index validation: scanning table, 50 %"},
      {"an index is built anew",
       {.command = "REINDEX CONCURRENTLY", .phase = "initializing"},
       "rebuilding index: initializing"},
      {"a table is vacuumed",
       {.command = "VACUUM", .phase = "vacuuming heap", .blocks_done = 1, .blocks_total = 4},
       "vacuuming: vacuuming heap, 25 %"},
      {"a table is rewritten",
       {.command = "VACUUM FULL",
        .phase = "seq scanning heap",
        .blocks_done = 3,
        .blocks_total = 4},
       "rewriting table: seq scanning heap, 75 %"},
      {"a server that counts beyond its own total",
       {.command = "ANALYZE",
        .phase = "acquiring sample rows",
        .blocks_done = 5,
        .blocks_total = 4},
       "analyzing: acquiring sample rows, 100 %"},
      {"data comes from the client",
       {.command = "COPY FROM", .tuples_done = 40000, .bytes_done = 12 << 20},
       "copying: 12 MiB, 40000 rows"},
      {"data comes from a file of the server",
       {.command = "COPY FROM", .tuples_done = 7, .bytes_done = 512, .bytes_total = 1024},
       "copying: 512 B, 7 rows, 50 %"},
  };
  for (const ProgressCase& c : kCases) EXPECT_EQ(c.progress.ToString(), c.text) << c.description;
}

TEST(LockHolderTest, OfManyOnlySomeAreNamed) {
  const LockHolder one{.pid = 1, .application_name = "psql", .state = "idle", .idle_seconds = 2.6};
  const LockHolder hidden{.pid = 2, .application_name = "app"};
  EXPECT_EQ(ToString({}), "");
  EXPECT_EQ(ToString({one}), "pid 1 (psql, idle for 3 s)");
  EXPECT_EQ(ToString({one, hidden}), "pid 1 (psql, idle for 3 s), pid 2 (app)");
  EXPECT_EQ(ToString({hidden, hidden, hidden, one, one}),
            "pid 2 (app), pid 2 (app), pid 2 (app) and 2 more");
  EXPECT_EQ(ToString({LockHolder{}}), "a prepared transaction (see pg_prepared_xacts)");
}

}  // namespace
}  // namespace whimbrel::postgres
