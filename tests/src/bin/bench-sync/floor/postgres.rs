//! The floor's table in PostgreSQL: a page is copied into a temporary table and merged from there.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::{Row, UPDATE};
use crate::Outcome;

const TABLES: &str = "CREATE TABLE IF NOT EXISTS activities (id bigint PRIMARY KEY, name text, sport text, \
    start text, offset_s float8, moving_s float8, elapsed_s float8, distance_m float8, avg_hr float8, max_hr float8, \
    speed float8, hash bytea, body text);
    CREATE TEMPORARY TABLE page (LIKE activities) ON COMMIT DELETE ROWS";

/// How many columns they have.
const COLUMNS: i16 = 13;

/// What PostgreSQL's binary format begins with: its name, no flags, no extension.
const HEADER: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// The database at that URL, with its tables.
pub(super) async fn open(url: &str) -> Outcome<PgConnection> {
    let mut database = PgConnection::connect(url).await?;
    sqlx::raw_sql(TABLES).execute(&mut database).await?;
    Ok(database)
}

pub(super) async fn upsert(
    database: &mut PgConnection,
    rows: impl Iterator<Item = Outcome<Row<'_>>>,
) -> Outcome<()> {
    let bytes = binary(rows)?;
    let mut transaction = database.begin().await?;
    let mut copy = transaction.copy_in_raw("COPY page FROM STDIN (FORMAT binary)").await?;
    copy.send(bytes).await?;
    copy.finish().await?;
    let merge = format!("INSERT INTO activities SELECT * FROM page {UPDATE}");
    sqlx::query(AssertSqlSafe(merge)).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// Rows in PostgreSQL's binary format.
fn binary<'a>(rows: impl Iterator<Item = Outcome<Row<'a>>>) -> Outcome<Vec<u8>> {
    let mut out = HEADER.to_vec();
    for row in rows {
        let Row { activity: a, hash, body } = row?;
        out.extend(COLUMNS.to_be_bytes());
        field(&mut out, &a.id.to_be_bytes())?;
        for text in [a.name, a.sport_type, a.start_date] {
            field(&mut out, text.as_bytes())?;
        }
        for number in [a.utc_offset, a.moving_time, a.elapsed_time, a.distance] {
            field(&mut out, &number.to_be_bytes())?;
        }
        for number in [a.average_heartrate, a.max_heartrate, a.average_speed] {
            match number {
                Some(number) => field(&mut out, &number.to_be_bytes())?,
                None => out.extend((-1_i32).to_be_bytes()),
            }
        }
        field(&mut out, &hash)?;
        field(&mut out, body.as_bytes())?;
    }
    out.extend((-1_i16).to_be_bytes());
    Ok(out)
}

fn field(out: &mut Vec<u8>, bytes: &[u8]) -> Outcome<()> {
    out.extend(i32::try_from(bytes.len())?.to_be_bytes());
    out.extend(bytes);
    Ok(())
}
