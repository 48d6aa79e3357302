-- At least one object of every kind that pg_dump dumps (PostgreSQL 14 and later), with names, texts
-- and rows that are hard to cut into statements.

DO $$ BEGIN
  PERFORM pg_advisory_xact_lock(4711);
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'dump reader') THEN
    CREATE ROLE "dump reader"; CREATE ROLE dump_owner;
  END IF;
END $$;

CREATE EXTENSION pgcrypto;
CREATE EXTENSION hstore;
CREATE EXTENSION btree_gist;
CREATE EXTENSION bloom;
CREATE EXTENSION postgres_fdw;
COMMENT ON EXTENSION pgcrypto IS 'it''s; -- \ "cryptographic" /*';
CREATE SCHEMA app AUTHORIZATION dump_owner;
CREATE SCHEMA "We""ird; schema";
COMMENT ON SCHEMA app IS E'line one\nline two; $$ \\. ''quoted''';

CREATE TYPE app.mood AS ENUM ('sad', 'it''s; ok', E'back\\slash', '');
CREATE TYPE app.pair AS (a int, "b;" text COLLATE "C");
CREATE TYPE app.float_range AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE DOMAIN app.positive AS int DEFAULT 1 NOT NULL CONSTRAINT "more; than 0" CHECK (VALUE > 0);
CREATE DOMAIN app.later AS text;
ALTER DOMAIN app.later ADD CONSTRAINT short CHECK (length(VALUE) < 9) NOT VALID;
CREATE TYPE app.shell;
CREATE TYPE app.base;
CREATE FUNCTION app.base_in(cstring) RETURNS app.base LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION app.base_out(app.base) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE app.base (INPUT = app.base_in, OUTPUT = app.base_out, LIKE = text, DEFAULT = 'a;''b');
CREATE COLLATION app.plain FROM "C";
CREATE COLLATION app.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE CONVERSION app.conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE SEQUENCE app.seq AS smallint INCREMENT -2 MINVALUE -100 MAXVALUE 100 START 7 CACHE 3 CYCLE;
SELECT nextval('app.seq');
CREATE SEQUENCE app.unused;
COMMENT ON TYPE app.mood IS 'a type; '' "';

CREATE FUNCTION app.sql_body(a int DEFAULT CASE WHEN true THEN 1 END, "b;" text DEFAULT ';')
  RETURNS TABLE (c int) LANGUAGE sql
  BEGIN ATOMIC SELECT CASE a WHEN 1 THEN 2 ELSE 3 END AS "end"; SELECT 1 AS "begin;"; END;
CREATE FUNCTION app.returns(a int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN a + 1;
CREATE FUNCTION app.nested() RETURNS void LANGUAGE plpgsql SECURITY DEFINER COST 7
  SET search_path TO app, "We""ird; schema", pg_temp SET work_mem = '1MB' AS $f$
DECLARE q text := $q$ select '; $$ ' $q$;
BEGIN
  EXECUTE $i$ do $o$ begin perform 1; -- '
  end $o$; $i$; RETURN;
END $f$;
CREATE FUNCTION app.backslash(text) RETURNS text LANGUAGE sql STRICT LEAKPROOF
  AS E'select ''\\\\'' || $1 || $_$ $x$ ; $x$ $_$';
CREATE PROCEDURE app.proc(INOUT a int) LANGUAGE plpgsql AS $$ BEGIN a := a + 1; END $$;
CREATE PROCEDURE app.atomic(a int) BEGIN ATOMIC SELECT a; END;
CREATE FUNCTION app.many(VARIADIC a int[]) RETURNS SETOF int LANGUAGE sql ROWS 5 AS 'select 1';
CREATE FUNCTION app.trg() RETURNS trigger LANGUAGE plpgsql AS 'begin if tg_table_name = ''columns'' and tg_when = ''BEFORE'' then new.note := new.note || '';''; end if; return new; end';
CREATE FUNCTION app.event() RETURNS event_trigger LANGUAGE plpgsql AS 'begin end';
CREATE FUNCTION app.add(a app.base, b app.base) RETURNS bool LANGUAGE sql IMMUTABLE AS 'select true';
CREATE AGGREGATE app.total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0', COMBINEFUNC = int4pl,
  MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE = int);
CREATE AGGREGATE app.pct(float8 ORDER BY anyelement)
  (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);

CREATE FUNCTION app.eq(int, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'select $1::text = $2';
CREATE FUNCTION app.eq(text, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'select $1 = $2::text';
CREATE OPERATOR app.=== (FUNCTION = app.eq, LEFTARG = int, RIGHTARG = text, RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR app.=== (FUNCTION = app.eq, LEFTARG = text, RIGHTARG = int, COMMUTATOR = OPERATOR(app.===));
COMMENT ON OPERATOR app.=== (int, text) IS 'it''s;';
CREATE OPERATOR FAMILY app.family USING btree;
CREATE OPERATOR CLASS app.class FOR TYPE int USING btree FAMILY app.family AS
  OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int);
ALTER OPERATOR FAMILY app.family USING btree ADD OPERATOR 1 < (int, bigint),
  FUNCTION 1 (int, bigint) btint48cmp(int, bigint);
CREATE CAST (text AS app.base) WITHOUT FUNCTION;
CREATE FUNCTION app.mood_of(int) RETURNS app.mood LANGUAGE sql IMMUTABLE AS $$ SELECT 'sad'::app.mood $$;
CREATE CAST (int AS app.mood) WITH FUNCTION app.mood_of(int) AS ASSIGNMENT;
CREATE CAST (app.pair AS text) WITH INOUT AS IMPLICIT;
CREATE FUNCTION app.handler() RETURNS language_handler AS '$libdir/plpgsql', 'plpgsql_call_handler' LANGUAGE C;
CREATE TRUSTED PROCEDURAL LANGUAGE pltest HANDLER app.handler;
CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal),
  TO SQL WITH FUNCTION int4recv(internal));
CREATE ACCESS METHOD gist2 TYPE INDEX HANDLER gisthandler;
CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
CREATE TEXT SEARCH PARSER app.parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end,
  LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH TEMPLATE app.template (LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY app.dictionary (TEMPLATE = snowball, language = english, StopWords = english);
CREATE TEXT SEARCH CONFIGURATION app.configuration (PARSER = app.parser);
ALTER TEXT SEARCH CONFIGURATION app.configuration ADD MAPPING FOR word, asciiword WITH app.dictionary, simple;
COMMENT ON TEXT SEARCH DICTIONARY app.dictionary IS 'words; ''';

CREATE TABLE app.columns (
    id int GENERATED ALWAYS AS IDENTITY (START 5 INCREMENT 3),
    other bigint GENERATED BY DEFAULT AS IDENTITY,
    sum bigint GENERATED ALWAYS AS (other * 2) STORED,
    s serial,
    note text DEFAULT E'it''s \\ ;\n$$' NOT NULL,
    dollar text DEFAULT $$a;'b"c\d$$,
    stamp timestamptz DEFAULT now(),
    "We""ird; \ column" varchar(20) DEFAULT ':x',
    bytes bytea DEFAULT '\xdeadbeef', doc jsonb DEFAULT '{"a;": "\""}', many int[][] DEFAULT '{{1,2}}',
    mood app.mood DEFAULT 'it''s; ok', pair app.pair, range app.float_range, positive app.positive,
    base app.base, ci text COLLATE app.any_case, hs hstore, ip inet, iv interval day to second(3),
    bits bit varying(5), money money, xml xml, tsv tsvector, point point, u uuid DEFAULT gen_random_uuid(),
    num numeric(10, 2), c "char", name name, multi int4multirange, "user" text, "end" text,
    CONSTRAINT "pk;" PRIMARY KEY (id) INCLUDE (note) WITH (fillfactor = 70),
    CONSTRAINT uniq UNIQUE (other) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT "check; 'x'" CHECK (note <> ';' AND "We""ird; \ column" <> $$'$$),
    CONSTRAINT exclusion EXCLUDE USING gist (ip inet_ops WITH &&, s WITH =) WHERE (s > 0) DEFERRABLE
) WITH (fillfactor = 80, autovacuum_enabled = false, toast.autovacuum_vacuum_cost_delay = 3);
ALTER TABLE app.columns ALTER dollar SET STORAGE EXTERNAL, ALTER doc SET COMPRESSION pglz,
  ALTER stamp SET STATISTICS 7, ALTER stamp SET (n_distinct = -0.5), ADD gone int, ADD added text;
ALTER TABLE app.columns DROP gone;
ALTER TABLE app.columns REPLICA IDENTITY FULL;
ALTER TABLE app.columns OWNER TO dump_owner;
COMMENT ON COLUMN app.columns."We""ird; \ column" IS '\.';
COMMENT ON CONSTRAINT "pk;" ON app.columns IS E'\t''\\';
CREATE TABLE app.parent (a int, b text) PARTITION BY RANGE (a, lower(b));
CREATE TABLE app.part_1 PARTITION OF app.parent FOR VALUES FROM (1, 'a;') TO (10, MAXVALUE);
CREATE TABLE app.part_default PARTITION OF app.parent DEFAULT PARTITION BY LIST (b);
CREATE TABLE app.part_list PARTITION OF app.part_default FOR VALUES IN ('x''y', NULL);
CREATE TABLE app.hashed (a int) PARTITION BY HASH (a);
CREATE TABLE app.hash_0 PARTITION OF app.hashed FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE app.ancestor (x int NOT NULL, y text CHECK (y <> ';'));
CREATE TABLE app.child (z int) INHERITS (app.ancestor);
ALTER TABLE app.child ALTER y SET DEFAULT 'd;';
CREATE TABLE app.typed OF app.pair (a WITH OPTIONS DEFAULT 3);
CREATE UNLOGGED TABLE app.unlogged (a int) USING heap2;
CREATE TABLE app.nothing ();
CREATE TABLE app."from" ("select" int REFERENCES app.columns (id) ON DELETE SET NULL ON UPDATE CASCADE
  DEFERRABLE INITIALLY DEFERRED, "stdin" text);
ALTER TABLE app."from" ADD CONSTRAINT late FOREIGN KEY ("select") REFERENCES app.columns NOT VALID;
ALTER TABLE app."from" ADD CONSTRAINT nv CHECK ("stdin" <> 'x') NOT VALID;
CREATE TABLE app.wide (a int, b text, c text, d bytea);
CREATE TABLE app.ordered (id int PRIMARY KEY, v text);
ALTER TABLE app.ordered CLUSTER ON ordered_pkey;

CREATE INDEX "partial; 'i'" ON app.columns USING btree (lower(note) text_pattern_ops DESC NULLS LAST)
  INCLUDE (s) WITH (fillfactor = 60) WHERE note <> ';';
CREATE INDEX ON app.columns USING hash (dollar);
CREATE INDEX ON app.columns USING gin (doc jsonb_path_ops, tsv) WITH (fastupdate = off);
CREATE INDEX ON app.columns USING gist (point, range);
CREATE OPERATOR CLASS app.points FOR TYPE point USING gist AS STORAGE box, OPERATOR 11 |>> (point, point),
  FUNCTION 1 gist_point_consistent(internal, point, smallint, oid, internal), FUNCTION 2 gist_box_union(internal, internal), FUNCTION 3 gist_point_compress(internal), FUNCTION 5 gist_box_penalty(internal, internal, internal), FUNCTION 6 gist_box_picksplit(internal, internal), FUNCTION 7 gist_box_same(box, box, internal);
CREATE INDEX ON app.columns USING spgist (point);
CREATE INDEX ON app.columns USING brin (stamp) WITH (pages_per_range = 16);
CREATE INDEX ON app.columns USING bloom (s, note) WITH (length = 64);
CREATE INDEX expression ON app.columns ((s + 1), (note || ';'));
ALTER INDEX app.expression ALTER COLUMN 1 SET STATISTICS 9;
CREATE UNIQUE INDEX replica ON app.ordered (id, v);
CREATE INDEX ON app.parent (a);
COMMENT ON INDEX app.expression IS 'i;';
CREATE STATISTICS app.stats (ndistinct, mcv) ON a, b FROM app.wide;
CREATE STATISTICS app.expressions ON (a + 1), (b || ';') FROM app.wide;
ALTER STATISTICS app.stats SET STATISTICS 11;
CREATE VIEW app.v WITH (security_barrier) AS SELECT id, note AS "n;" FROM app.columns WHERE note <> $$;'$$
  WITH LOCAL CHECK OPTION;
ALTER VIEW app.v ALTER "n;" SET DEFAULT 'x;';
CREATE RECURSIVE VIEW app.r (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 3;
CREATE VIEW app.uses_group AS SELECT id, note FROM app.columns GROUP BY id;
CREATE MATERIALIZED VIEW app.mv WITH (fillfactor = 50) AS SELECT a, count(*) FROM app.wide GROUP BY a;
CREATE UNIQUE INDEX ON app.mv (a);
CREATE MATERIALIZED VIEW app.mv_empty AS SELECT ';'::text AS t FROM app.mv WITH NO DATA;
CREATE RULE many AS ON INSERT TO app.v DO INSTEAD (
  INSERT INTO app."from" VALUES (NULL, 'a;' || new."n;"); DELETE FROM app.wide WHERE b = ';'; NOTIFY rule_ran);
CREATE RULE quiet AS ON DELETE TO app."from" WHERE old."stdin" = ';' DO ALSO NOTHING;
ALTER TABLE app."from" DISABLE RULE quiet;
CREATE TRIGGER "t;" BEFORE INSERT OR UPDATE OF note ON app.columns FOR EACH ROW
  WHEN (new.note IS DISTINCT FROM ';') EXECUTE FUNCTION app.trg('arg;', 'it''s', E'\\');
CREATE TRIGGER every AFTER UPDATE ON app.columns REFERENCING OLD TABLE AS o NEW TABLE AS n
  FOR EACH STATEMENT EXECUTE FUNCTION app.trg();
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON app.wide DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION app.trg();
CREATE TRIGGER instead INSTEAD OF UPDATE ON app.v FOR EACH ROW EXECUTE FUNCTION app.trg();
ALTER TABLE app.columns DISABLE TRIGGER every;
ALTER TABLE app.wide ENABLE ALWAYS TRIGGER late;
CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'DROP TABLE')
  EXECUTE FUNCTION app.event();
ALTER TABLE app.columns ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY "p;" ON app.columns AS RESTRICTIVE FOR UPDATE TO "dump reader", PUBLIC
  USING (note <> ';') WITH CHECK (note <> $$'$$);
CREATE FOREIGN DATA WRAPPER fdw OPTIONS (debug 'true; ''x''');
CREATE SERVER server TYPE 't;' VERSION '1;' FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'h;', dbname 'd''b');
CREATE USER MAPPING FOR "dump reader" SERVER server OPTIONS (user 'u;', password 'p''\;');
CREATE FOREIGN TABLE app.foreign (a int OPTIONS (column_name 'x;') NOT NULL, b text DEFAULT 'd;')
  SERVER server OPTIONS (table_name 't''');
CREATE PUBLICATION pub FOR TABLE app.ordered, app.wide WITH (publish = 'insert, delete');
CREATE PUBLICATION everything FOR ALL TABLES WITH (publish_via_partition_root = true);
CREATE SUBSCRIPTION sub CONNECTION 'host=nowhere dbname=''d;'' password=x' PUBLICATION "p;"
  WITH (connect = false, slot_name = NONE);
GRANT USAGE ON SCHEMA app TO "dump reader" WITH GRANT OPTION;
GRANT SELECT (note, "We""ird; \ column"), INSERT ON app.columns TO "dump reader";
GRANT EXECUTE ON PROCEDURE app.proc(int) TO "dump reader";
REVOKE EXECUTE ON FUNCTION app.returns(int) FROM PUBLIC;
GRANT USAGE ON SEQUENCE app.seq TO "dump reader";
GRANT USAGE ON TYPE app.mood TO "dump reader";
GRANT USAGE ON FOREIGN SERVER server TO "dump reader";
GRANT USAGE ON LANGUAGE pltest TO "dump reader";
ALTER DEFAULT PRIVILEGES FOR ROLE dump_owner IN SCHEMA app GRANT SELECT ON TABLES TO "dump reader";
ALTER DEFAULT PRIVILEGES FOR ROLE dump_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
DO $$ BEGIN
  IF current_setting('server_version_num')::int >= 150000 THEN
    EXECUTE 'CREATE PUBLICATION filtered FOR TABLE app.wide (a, b) WHERE (b <> '';'')';
    EXECUTE 'CREATE PUBLICATION schemas FOR TABLES IN SCHEMA "We""ird; schema"';
    EXECUTE 'CREATE VIEW app.invoker WITH (security_invoker) AS SELECT 1 AS "one;"';
    EXECUTE 'CREATE TABLE app.no_nulls (a int UNIQUE NULLS NOT DISTINCT)';
  END IF;
END $$;

INSERT INTO app.wide VALUES
  (1, E'\\.', E'a\tb\nc\rd\\n\b\f\v', '\x00ff5c27'), (2, '', NULL, ''), (3, '\N', '\n', NULL),
  (4, E'\n\\.\n', E'\\\\.', '\x5c2e'), (5, 'COPY t FROM stdin;', E'-- ;\n\\restrict x', '\x0a'),
  (NULL, 'ü€😀', ' leading and trailing ', NULL), (7, '''"$$ $x$ /* */ :name', E'\\i file\n\\echo', NULL),
  (8, repeat('long; ''\\ ', 3000), E'\r\n', NULL), (9, E'\u00A0\u200B', E'\x7f\x01', NULL), (10, '{"a": "\""}', '\\', NULL);
INSERT INTO app.columns (other, note, "We""ird; \ column", pair, range, hs, ip, iv, bits, money, xml, tsv, point,
    num, c, name, multi, stamp, u, ci)
  SELECT i, E'n;\\' || i, chr(9 + i) || '\', '(1,"x""\\,;()")', '[1.5,2.5)', 'a=>"b;\\\"", c=>NULL',
    ('10.0.0.' || i)::inet, '1 day 2.345 s', B'101', 1.5, '<a b=";">&amp;</a>', 'it''s:1 b', '(1,2)', 1.10,
    ';', 'n''ame', '{[1,3),[5,7)}', 'epoch', ('00000000-0000-0000-0000-00000000000' || i)::uuid, 'É'
  FROM generate_series(1, 5) AS i;
INSERT INTO app.parent VALUES (1, 'b;'), (9, E'\\N'), (20, 'x''y'), (21, NULL);
INSERT INTO app.hashed SELECT generate_series(1, 9);
INSERT INTO app.ancestor VALUES (1, E'\\'), (2, NULL);
INSERT INTO app.child VALUES (3, 'z;', 4);
INSERT INTO app.nothing DEFAULT VALUES;
INSERT INTO app.nothing DEFAULT VALUES;
INSERT INTO app."from" VALUES (5, 'stdin;'), (NULL, E'\\.');
INSERT INTO app.ordered VALUES (2, 'b'), (1, 'a');
INSERT INTO app.unlogged VALUES (1);
REFRESH MATERIALIZED VIEW app.mv;
