#include "migration/section_marker.h"

#include <gtest/gtest.h>

namespace whimbrel::migration {
namespace {

TEST(SectionMarkerTest, ReadsCommentsAsPeopleWriteThem) {
  using enum SectionMarker;
  const struct {
    const char* comment;  // After the `--`.
    SectionMarker marker;
  } cases[] = {
      // The forms of the design.
      {" Migration Down", kDown},
      {" Down", kDown},
      {" +migrate Down", kDown},
      {" Migration Up", kUp},
      {" Up", kUp},
      {" +migrate Up", kUp},
      // node-pg-migrate's.
      {" Down Migration", kDown},
      {" Up Migration", kUp},
      // Case, white space, decoration, small additions.
      {"down", kDown},
      {" MIGRATION DOWN", kDown},
      {"\tmigration   down  ", kDown},
      {" ==== DOWN ====", kDown},
      {" ──────── Down ────────", kDown},
      {"----------- Migration Down -----------", kDown},
      {" *** migration down ***", kDown},
      {" # Down #", kDown},
      {" Down:", kDown},
      {" Migration Down:", kDown},
      {" Down Section", kDown},
      {" Migration Down section", kDown},
      {" MIGRATION DOWN (ROLLBACK)", kDown},
      {" Migration DOWN (annuler - optionnel)", kDown},
      {" DOWN (Rollback)", kDown},
      {" Down (rollback):", kDown},
      {" === Down (rollback) ===", kDown},
      {" Migration Down: drop the table", kDown},
      {" Migration Down - drop the table", kDown},
      {" Migration Down — drop the table", kDown},
      {" Migration Down (rollback): drop the table", kDown},
      {" +migrate Down notransaction", kDown},
      {" +migrate Up notransaction", kUp},
      {"+migrate Down", kDown},
      {" Down\r", kDown},
      // In doubt.
      {" Down: drop the table", kMaybeDown},
      {" DOWN (rollback): see below", kMaybeDown},
      {" Down - drop the table", kMaybeDown},
      {" Down Migration for users table", kMaybeDown},
      {" down migration exists somewhere.", kMaybeDown},
      {" Migration down, in two steps", kMaybeDown},
      // Prose.
      {" Down payments", kNone},
      {" downloads", kNone},
      {" Downgrade", kNone},
      {" Up to here", kNone},
      {" Up/Down", kNone},
      {" Update the totals", kNone},
      {" Migration: create users", kNone},
      {" Migration 003 down", kNone},
      {" migrations down", kNone},
      {" The migration down", kNone},
      {" Turn it down", kNone},
      {" +migrate StatementBegin", kNone},
      {" + Down", kNone},
      {" größer", kNone},
      // Ruled lines.
      {"", kDecoration},
      {" ", kDecoration},
      {"-------", kDecoration},
      {" ======", kDecoration},
      {" ══════", kDecoration},
      {" ###", kDecoration},
      {" …", kNone},
      // Other tools.
      {" +goose Up", kForeign},
      {" +goose Down", kForeign},
      {"+goose StatementBegin", kForeign},
      {" migrate:up", kForeign},
      {" migrate:down transaction:false", kForeign},
      {"liquibase formatted sql", kForeign},
      {" Liquibase formatted SQL", kForeign},
      {"-- create above / drop below ----", kForeign},
      {" atlas:checkpoint", kForeign},
      {" atlas:delimiter \\n\\n", kForeign},
      {" atlas:nolint", kNone},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(ReadSectionMarker(c.comment), c.marker) << "--" << c.comment;
  }
}

TEST(SectionMarkerTest, NamesTheToolOfADirective) {
  EXPECT_EQ(ForeignTool(" +goose Down"), "goose");
  EXPECT_EQ(ForeignTool(" migrate:up"), "dbmate");
  EXPECT_EQ(ForeignTool("liquibase formatted sql"), "Liquibase");
  EXPECT_EQ(ForeignTool("-- create above / drop below ----"), "tern");
  EXPECT_EQ(ForeignTool(" atlas:txtar"), "Atlas");
  EXPECT_EQ(ForeignTool(" Migration Down"), "");
}

}  // namespace
}  // namespace whimbrel::migration
