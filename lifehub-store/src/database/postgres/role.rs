//! The second wall: row-level security shows a connection the rows of one user. A login role that would see through it
//! takes another one.

use lifehub_core::Result;
use sqlx::postgres::PgConnection;
use sqlx::{Executor as _, Row as _};

use super::migrate::ALONE;
use crate::database::fault;

/// The role that may read and write the tables, and nothing else.
const TAKE: &str = "SET ROLE lifehub_app";
const BYPASSES: &str = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user";
/// Processes with other schemas may do so at once.
const MAKE: &str = "DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'lifehub_app') THEN
        CREATE ROLE lifehub_app NOLOGIN NOSUPERUSER NOBYPASSRLS;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$";
const MAY: &str =
    "SELECT bool_and(has_table_privilege('lifehub_app', c.oid, 'SELECT, INSERT, UPDATE, DELETE'))
        AND has_schema_privilege('lifehub_app', current_schema(), 'USAGE')
    FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace";
const ALLOW: &str = "DO $$ BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO lifehub_app', current_schema());
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO lifehub_app', current_schema());
END $$";

/// Gives the statement by which a connection takes its role, if the login role is not the one to work with.
pub(super) async fn settle(conn: &mut PgConnection) -> Result<Option<&'static str>> {
    if !says(conn, BYPASSES).await? {
        return Ok(None);
    }
    conn.execute("BEGIN").await.map_err(fault)?;
    conn.execute(ALONE).await.map_err(fault)?;
    conn.execute(MAKE).await.map_err(fault)?;
    if !says(conn, MAY).await? {
        conn.execute(ALLOW).await.map_err(fault)?;
    }
    conn.execute("COMMIT").await.map_err(fault)?;
    Ok(Some(TAKE))
}

async fn says(conn: &mut PgConnection, sql: &'static str) -> Result<bool> {
    let row = sqlx::query(sql).fetch_one(conn).await.map_err(fault)?;
    Ok(row.try_get::<Option<bool>, _>(0).map_err(fault)?.unwrap_or(false))
}
