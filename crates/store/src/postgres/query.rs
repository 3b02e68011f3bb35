//! One query of somebody's own, asked of a server that need not be the store's: for data that is only
//! read.

use std::time::Duration;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Row};

use super::connections::{Connections, Mode};
use super::error::from_sqlx;
use super::options::PostgresOptions;
use crate::deadline::within;
use crate::error::StoreError;

/// A query with named parameters, in transactions that can only read. Connections are opened when they are
/// needed.
pub struct PostgresQuery {
    connections: Connections,
    statement: String,
    /// In the order of the numbers that they have in the statement.
    parameters: Vec<String>,
    max_rows: usize,
    call_deadline: Duration,
}

/// What a query gave.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryRows {
    /// The rows, each an object with the names of the columns.
    pub rows: Vec<Value>,
    /// Whether there were more than are allowed.
    pub is_cut: bool,
}

impl PostgresQuery {
    /// A query (`select`, `with` or `values`) in which `{NAME}` stands for the parameter NAME, a text that is
    /// bound and never becomes part of the statement: `{since}::date` where something else is needed. Numbers
    /// with more than 17 digits are exact only as `::text`.
    ///
    /// It gives `max_rows` rows at the most, and those whose JSON has `max_bytes` together. Of the options,
    /// `statement_timeout` bounds its time, and `allow_unsafe_fsync` has no meaning.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unusable`] if the URL cannot be read.
    pub fn new(
        options: &PostgresOptions,
        query: &str,
        parameters: impl IntoIterator<Item = String>,
        max_rows: usize,
        max_bytes: usize,
    ) -> Result<Self, StoreError> {
        // Behind a pooler in transaction mode too each run is a transaction by itself.
        let begin = format!(
            "begin read only; select set_config('statement_timeout', '{}', true)",
            options.statement_timeout.as_millis()
        );
        let (query, parameters) = numbered(query, parameters);
        Ok(Self {
            connections: Connections::new(options, Mode::Transaction { begin })?,
            statement: bounded(&query, max_rows, max_bytes),
            parameters,
            max_rows,
            call_deadline: options.call_deadline(),
        })
    }

    /// The names of the parameters that stand in the query.
    #[must_use]
    pub fn parameters(&self) -> &[String] {
        &self.parameters
    }

    /// Runs the query. `value_of` gives the values of its parameters.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Unusable`] where the query is wrong or not permitted, and
    /// [`StoreError::Rejected`] where a value is.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the query ends with its connection.
    pub async fn run(&self, value_of: impl Fn(&str) -> String) -> Result<QueryRows, StoreError> {
        let mut query = sqlx::query(AssertSqlSafe(self.statement.as_str()));
        for name in &self.parameters {
            query = query.bind(value_of(name));
        }
        let fetched = within(self.call_deadline, self.connections.fetch(query)).await?;
        let mut rows = Vec::with_capacity(fetched.len().min(self.max_rows));
        for row in &fetched {
            let text: Option<String> = row.try_get(0).map_err(from_sqlx)?;
            let Some(text) = text.filter(|_| rows.len() < self.max_rows) else {
                break;
            };
            let row = serde_json::from_str(&text)
                .map_err(|error| StoreError::Corrupt(format!("a row that is no JSON: {error}")))?;
            rows.push(row);
        }
        Ok(QueryRows {
            is_cut: rows.len() < fetched.len(),
            rows,
        })
    }
}

impl std::fmt::Debug for PostgresQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresQuery")
            .field("parameters", &self.parameters)
            .finish_non_exhaustive()
    }
}

/// The query with numbers in place of names, and those names in the order of their numbers.
fn numbered(query: &str, names: impl IntoIterator<Item = String>) -> (String, Vec<String>) {
    let mut query = query.trim().trim_end_matches(';').to_owned();
    let mut numbered = Vec::new();
    for name in names {
        let place = format!("{{{name}}}");
        if query.contains(&place) {
            numbered.push(name);
            query = query.replace(&place, &format!("${}", numbered.len()));
        }
    }
    (query, numbered)
}

/// The query as one that gives a column of JSON, one row more than is allowed, and of rows that are too
/// much NULL: no more than is wanted comes over the wire.
fn bounded(query: &str, max_rows: usize, max_bytes: usize) -> String {
    format!(
        "select case when sum(octet_length(json)) over (order by place) <= {max_bytes} then json end
         from (select row_to_json(answer.*)::text as json, row_number() over () as place
               from (\n{query}\n) as answer limit {limit}) as numbered
         order by place",
        limit = max_rows.saturating_add(1),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_numbers_wherever_they_stand_and_other_braces_stay() {
        let names = ["b", "a", "unused"].map(str::to_owned);
        let (query, names) = numbered("select '{1}'::int[], {a}, {b}::date, {a} ;\n", names);
        assert_eq!(query, "select '{1}'::int[], $2, $1::date, $2 ");
        assert_eq!(names, ["b", "a"]);
    }
}
