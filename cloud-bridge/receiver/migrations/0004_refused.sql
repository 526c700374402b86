-- What a box sent and nobody can read: how often, and why the last of it. It is not kept, as anything can be in it.
ALTER TABLE boxes
    ADD COLUMN refused bigint NOT NULL DEFAULT 0,
    ADD COLUMN refused_why text;
