#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "whimbrel/sql/statement_facts.h"
#include "whimbrel/sql/statement_splitter.h"

namespace whimbrel::sql {
namespace {

// T76: what pg_dump writes, one object of each kind that makes a splitter stumble.
constexpr std::string_view kDump = R"dump(--
-- PostgreSQL database dump
--

\restrict q9vKp0i3XbeYfLxJbWn7Jw3m2Fhy1xk8CkGpRzT4sQ5uVdAoHeNcMjLtBiDyPwZ

-- Dumped from database version 15.20 (Debian 15.20-0+deb12u1)
-- Dumped by pg_dump version 15.20 (Debian 15.20-0+deb12u1)

SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET row_security = off;

--
-- Name: EXTENSION pgcrypto; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION pgcrypto IS 'it''s; -- cryptographic';


--
-- Name: f(integer); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.f(x integer) RETURNS integer
    LANGUAGE plpgsql
    AS $_$ begin
  execute 'select $1;' using x;
  return x; -- ;
end $_$;


--
-- Name: g(integer); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.g(x integer) RETURNS integer
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT 1 AS "end";
 SELECT
         CASE
             WHEN (x > 1) THEN 2
             ELSE NULL::integer
         END AS x;
END;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: t; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.t (
    id integer NOT NULL,
    a text DEFAULT 'x;y'::text,
    "We""ird;" numeric
);


ALTER TABLE public.t OWNER TO postgres;

--
-- Name: r; Type: RULE; Schema: public; Owner: postgres
--

CREATE RULE r AS
    ON DELETE TO public.t DO ( INSERT INTO public.t (id, a)
  VALUES (1, '1'::text);
 UPDATE public.t SET a = 'b'::text;
);


--
-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.t (id, a, "We""ird;") FROM stdin;
1	\\.	\N
2	a\nb;\t'	\N
\.


--
-- Data for Name: empty; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.empty  FROM stdin;
\.


--
-- Name: t_id_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.t_id_seq', 3, true);


--
-- Name: i; Type: INDEX; Schema: public; Owner: postgres
--

CREATE INDEX i ON public.t USING btree (((a)::text)) WHERE (a <> ';'::text);


--
-- PostgreSQL database dump complete
--

\unrestrict q9vKp0i3XbeYfLxJbWn7Jw3m2Fhy1xk8CkGpRzT4sQ5uVdAoHeNcMjLtBiDyPwZ

)dump";

TEST(PgDump, SplitsIntoItsStatements) {
  const auto statements = SplitAll(kDump);
  ASSERT_TRUE(statements.has_value()) << statements.error().ToString();
  std::vector<std::string> beginnings;
  std::vector<std::string> data;
  for (const OwnedStatement& statement : *statements) {
    beginnings.push_back(statement.text.substr(0, 20));
    if (statement.copy_from_stdin) data.push_back(statement.copy_data);
  }
  EXPECT_THAT(beginnings,
              ::testing::ElementsAre(
                  "SET statement_timeou", "SET client_encoding ", "SET standard_conform",
                  "SELECT pg_catalog.se", "SET row_security = o", "COMMENT ON EXTENSION",
                  "CREATE FUNCTION publ", "CREATE FUNCTION publ", "SET default_tablespa",
                  "SET default_table_ac", "CREATE TABLE public.", "ALTER TABLE public.t",
                  "CREATE RULE r AS\n   ", "COPY public.t (id, a", "COPY public.empty  F",
                  "SELECT pg_catalog.se", "CREATE INDEX i ON pu"));
  EXPECT_THAT(data, ::testing::ElementsAre("1\t\\\\.\t\\N\n2\ta\\nb;\\t'\t\\N\n", ""));
}

TEST(PgDump, RunsInOneTransaction) {
  const auto statements = SplitAll(kDump);
  ASSERT_TRUE(statements.has_value());
  for (const OwnedStatement& statement : *statements) {
    const StatementFacts facts = Classify(statement.text);
    EXPECT_EQ(facts.non_transactional, std::nullopt) << statement.text;
    EXPECT_EQ(facts.transaction.verb, TransactionVerb::kNone) << statement.text;
    EXPECT_EQ(facts.copy_from_stdin, statement.copy_from_stdin) << statement.text;
  }
}

}  // namespace
}  // namespace whimbrel::sql
