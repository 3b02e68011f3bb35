//! Counting, for a database that adds up and fetches: SQLite would sort all answers for each percentile.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::{AnalyticsGroups, AnalyticsRow, Range, check_rows};
use crate::error::StoreError;

/// The answers of one hour from one source, as they are fetched: an array in JSON.
#[derive(Debug, Deserialize)]
pub(crate) struct Answers {
    source: i64,
    answers: u64,
    failed: u64,
    /// Those that count for their message.
    first: u64,
    input_tokens: u64,
    output_tokens: u64,
    /// The sum of what is known.
    cost_usd: Option<f64>,
    /// For how many it is.
    costs_known: u64,
    tool_calls: u64,
    tool_failures: u64,
    /// Of each its session, and the times to its first text and to its end.
    sessions: Vec<i64>,
    first_token_ms: Vec<Option<u64>>,
    total_ms: Vec<Option<u64>>,
}

/// A provider, a model and a route, those that are grouped by.
type Group = (Option<String>, Option<String>, Option<String>);

/// What was counted so far, by bucket and group.
#[derive(Debug)]
pub(crate) struct Tally<'a> {
    range: &'a Range,
    is_grouped: bool,
    /// In order.
    groups: Vec<Group>,
    /// The group of each source.
    group_of: BTreeMap<i64, usize>,
    cells: BTreeMap<(usize, usize), Cell>,
}

/// Of one bucket and group.
#[derive(Debug)]
struct Cell {
    figures: AnalyticsRow,
    sessions: Vec<i64>,
    first_token_ms: Vec<u64>,
    total_ms: Vec<u64>,
}

impl<'a> Tally<'a> {
    /// Begins, with all sources there are: number, provider, model, route (empty where none).
    pub(crate) fn new(
        range: &'a Range,
        by: AnalyticsGroups,
        sources: Vec<(i64, String, String, String)>,
    ) -> Self {
        let named: Vec<(i64, Group)> = sources
            .into_iter()
            .map(|(id, provider, model, route)| {
                let provider = by.provider.then_some(provider);
                let model = by.model.then_some(model);
                let route = (by.route && !route.is_empty()).then_some(route);
                (id, (provider, model, route))
            })
            .collect();
        let mut groups: Vec<Group> = named.iter().map(|(_, group)| group.clone()).collect();
        // As PostgreSQL has it: what is none comes last.
        groups.sort_by_cached_key(|(provider, model, route)| {
            (
                provider.clone(),
                model.clone(),
                route.is_none(),
                route.clone(),
            )
        });
        groups.dedup();
        let place_of: HashMap<&Group, usize> = groups.iter().zip(0..).collect();
        let group_of = named
            .iter()
            .map(|(id, group)| (*id, place_of.get(group).copied().unwrap_or_default()))
            .collect();
        Self {
            range,
            is_grouped: by.is_any(),
            groups,
            group_of,
            cells: BTreeMap::new(),
        }
    }

    /// Counts sessions that began in an hour, and messages; not where there are groups.
    pub(crate) fn add_hour(&mut self, hour: i32, sessions: u64, user_messages: u64) {
        let bucket = self.range.bucket_of(hour);
        let figures = &mut self.cell(bucket, 0).figures;
        figures.sessions += sessions;
        figures.user_messages += user_messages;
    }

    /// Counts answers.
    pub(crate) fn add_answers(&mut self, hour: i32, of: Answers) {
        let is_grouped = self.is_grouped;
        let group = self.group_of.get(&of.source).copied().unwrap_or_default();
        let cell = self.cell(self.range.bucket_of(hour), group);
        cell.first_token_ms
            .extend(of.first_token_ms.iter().flatten());
        cell.total_ms.extend(of.total_ms.iter().flatten());
        let figures = &mut cell.figures;
        if is_grouped {
            cell.sessions.extend(of.sessions);
            figures.user_messages += of.first;
        }
        figures.answers += of.answers;
        figures.failed_answers += of.failed;
        figures.input_tokens += of.input_tokens;
        figures.output_tokens += of.output_tokens;
        if let Some(cost) = of.cost_usd {
            figures.cost_usd = Some(figures.cost_usd.unwrap_or(0.0) + cost);
        }
        figures.cost_unknown += of.answers.saturating_sub(of.costs_known);
        figures.tool_calls += of.tool_calls;
        figures.tool_failures += of.tool_failures;
    }

    /// The rows, in order.
    ///
    /// # Errors
    ///
    /// [`StoreError::Rejected`] if there are too many.
    pub(crate) fn finish(self) -> Result<Vec<AnalyticsRow>, StoreError> {
        let is_grouped = self.is_grouped;
        check_rows(
            self.cells
                .into_values()
                .map(|cell| cell.finish(is_grouped))
                .collect(),
        )
    }

    fn cell(&mut self, bucket: usize, group: usize) -> &mut Cell {
        self.cells.entry((bucket, group)).or_insert_with(|| {
            let (provider, model, route) = self.groups.get(group).cloned().unwrap_or_default();
            let figures = AnalyticsRow {
                provider,
                model,
                route,
                ..AnalyticsRow::empty(self.range.start_of(bucket))
            };
            Cell {
                figures,
                sessions: Vec::new(),
                first_token_ms: Vec::new(),
                total_ms: Vec::new(),
            }
        })
    }
}

impl Cell {
    fn finish(mut self, is_grouped: bool) -> AnalyticsRow {
        if is_grouped {
            self.sessions.sort_unstable();
            self.sessions.dedup();
            self.figures.sessions = self.sessions.len().try_into().unwrap_or(u64::MAX);
        }
        self.first_token_ms.sort_unstable();
        self.total_ms.sort_unstable();
        AnalyticsRow {
            first_token_p50_ms: ranked(&self.first_token_ms, 50),
            first_token_p95_ms: ranked(&self.first_token_ms, 95),
            total_p50_ms: ranked(&self.total_ms, 50),
            total_p95_ms: ranked(&self.total_ms, 95),
            ..self.figures
        }
    }
}

/// The nearest rank: the first of the sorted values that so many of a hundred do not exceed.
fn ranked(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let values: Vec<u64> = (1..=20).collect();
        assert_eq!(ranked(&values, 50), Some(10));
        assert_eq!(ranked(&values, 95), Some(19));
        assert_eq!(ranked(&[7], 95), Some(7));
        assert_eq!(ranked(&[1, 2], 50), Some(1));
        assert_eq!(ranked(&[], 50), None);
    }
}
