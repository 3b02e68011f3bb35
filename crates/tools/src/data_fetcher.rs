//! The data fetcher: looks up made-up data, so that tools can be tried without any account.
//!
//! The data depend on the kind and the query alone: the same today, tomorrow, and on every
//! machine. The time is the exception, its clock is real. Every result says that it is simulated.

mod inventory;
mod order;
mod sales;
mod seed;
mod stock;
mod system_metrics;
mod time;
mod user;
mod weather;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Tool, ToolContext, ToolError, ToolSpec, arguments};
use seed::Seed;

const MAX_QUERY_CHARACTERS: usize = 200;

/// The tool `data_fetcher`: simulated data of eight kinds.
///
/// The result is an object with `simulated` (always true), `source` (always `"simulated"`),
/// `data_type`, `query`, and the fields of the kind, their units in their names.
#[derive(Debug)]
pub struct DataFetcher {
    spec: ToolSpec,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// The kind of data to look up.
    data_type: DataType,
    /// What to look up: a city for weather and time, a company or ticker symbol for stock, a name
    /// or id for user, order and inventory, a product or region for sales, a host for system metrics.
    #[schemars(length(min = 1, max = MAX_QUERY_CHARACTERS))]
    query: String,
}

// Without doc comments on the variants the schema is a plain `enum` of texts.
#[derive(Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum DataType {
    Weather,
    Stock,
    User,
    Order,
    Inventory,
    Sales,
    SystemMetrics,
    Time,
}

impl Default for DataFetcher {
    fn default() -> Self {
        Self {
            spec: ToolSpec::of::<Arguments>(
                "data_fetcher",
                "Looks up simulated example data: weather, stock, user, order, inventory, sales, \
                 system_metrics or time. The data are made up; say so when you use them.",
            ),
        }
    }
}

#[async_trait]
impl Tool for DataFetcher {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn checks_arguments(&self) -> bool {
        true
    }

    async fn call(
        &self,
        arguments: Map<String, Value>,
        _context: ToolContext,
    ) -> Result<Value, ToolError> {
        let Arguments { data_type, query } = arguments::parse(arguments)?;
        let query = query.trim();
        if query.is_empty() {
            return Err(ToolError::InvalidArguments("`query`: empty".to_owned()));
        }
        if query.chars().count() > MAX_QUERY_CHARACTERS {
            return Err(ToolError::InvalidArguments(format!(
                "`query`: longer than {MAX_QUERY_CHARACTERS} characters"
            )));
        }
        let mut result = fetch(data_type, query);
        if let Some(fields) = result.as_object_mut() {
            fields.insert("simulated".to_owned(), json!(true));
            fields.insert("source".to_owned(), json!("simulated"));
            fields.insert("data_type".to_owned(), json!(data_type));
            fields.insert("query".to_owned(), json!(query));
        }
        Ok(result)
    }
}

fn fetch(data_type: DataType, query: &str) -> Value {
    match data_type {
        DataType::Weather => weather::fetch(query, Seed::new("weather", query)),
        DataType::Stock => stock::fetch(query, Seed::new("stock", query)),
        DataType::User => user::fetch(query, Seed::new("user", query)),
        DataType::Order => order::fetch(query, Seed::new("order", query)),
        DataType::Inventory => inventory::fetch(query, Seed::new("inventory", query)),
        DataType::Sales => sales::fetch(query, Seed::new("sales", query)),
        DataType::SystemMetrics => system_metrics::fetch(query, Seed::new("system_metrics", query)),
        DataType::Time => time::fetch(query, chrono::Utc::now()),
    }
}
