//! The made-up spreadsheet: its tabs, what lies on their shelves, and what a client should have of it.

use std::collections::BTreeMap;
use std::time::Duration;

use lifehub_core::clock::Timestamp;
use lifehub_testkit::{Fact, Kind, Setup, Shelf, Shelved, instants};
use serde_json::{Value, json};

use super::cell::Cell;
use super::expenses::{self, Expenses};
use super::habits::{self, Habits};
use super::weight::{self, Weighings};

/// A tab.
#[derive(Debug)]
pub(super) struct Tab {
    pub(super) id: u32,
    pub(super) title: String,
    /// How large the grid is.
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// `GRID`, or `OBJECT` for one that is a chart.
    pub(super) kind: &'static str,
    pub(super) content: Content,
    /// Headers that were written anew, by what they were.
    pub(super) renamed: BTreeMap<String, String>,
}

/// What is in a tab.
#[derive(Debug)]
pub(super) enum Content {
    Weight,
    Expenses,
    Habits,
    /// As a test wrote it.
    Cells(Vec<Vec<Cell>>),
}

/// The spreadsheet.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) id: String,
    pub(super) zone: String,
    pub(super) tabs: Vec<Tab>,
    pub(super) weight: Shelf<Weighings>,
    expenses: Shelf<Expenses>,
    habits: Shelf<Habits>,
    /// Rows are sorted with the newest first.
    pub(super) newest_first: bool,
    /// The weight is all that there is to read.
    pub(super) is_small: bool,
}

impl Book {
    pub(super) fn new(setup: &Setup) -> Self {
        // All items of a setup are rows of one stream; from sixty on, two tenths of those that share no instant are no
        // weighings. Fewer are all in one range, so that a small world takes few requests.
        let side =
            setup.items.map(|items| if items < 60 { 0 } else { items.saturating_sub(setup.ties) / 10 });
        let mut main = setup.clone();
        main.items = setup.items.zip(side).map(|(items, side)| items - 2 * side);
        let mut aside = setup.clone();
        (aside.items, aside.ties) = (side, 0);
        // Whoever asks for a number of items gets as many that say something.
        let week = Duration::from_secs(7 * 86_400);
        let gaps_until = if setup.items.is_none() { setup.now - week } else { Timestamp::EPOCH };
        let mut habits = Shelf::empty(Habits, setup.seed, setup.now);
        let mut expenses = Shelf::empty(Expenses, setup.seed, setup.now);
        let is_small = side == Some(0);
        if !is_small {
            instants(&aside, 7.0).into_iter().for_each(|at| _ = habits.add(at));
            let mut bought = instants(&aside, 8.0);
            // The same thing twice on one day: the second row says what the first does.
            for place in (1..bought.len()).step_by(15) {
                bought[place] = bought[place - 1];
            }
            bought.into_iter().for_each(|at| _ = expenses.add(at));
        }
        let tab = |id, title: &str, columns, content| Tab {
            id,
            title: title.to_owned(),
            rows: 1_000 + 2 * usize::from(setup.days) + setup.items.unwrap_or(0),
            columns,
            kind: "GRID",
            content,
            renamed: BTreeMap::new(),
        };
        let mut chart = tab(90_210_001, "Chart", 1, Content::Cells(Vec::new()));
        chart.kind = "OBJECT";
        Self {
            id: format!("1SimulatedLifeLog-{:016x}-0000000000", setup.seed),
            zone: super::PLACE.zone().to_owned(),
            tabs: vec![
                tab(0, "Weight", 26, Content::Weight),
                tab(1_730_455_512, "Expenses", 8, Content::Expenses),
                tab(884_120_077, "Habits '26", 12, Content::Habits),
                chart,
            ],
            weight: Shelf::stocked(Weighings { gaps_until }, &main, 6.0),
            expenses,
            habits,
            newest_first: false,
            is_small,
        }
    }

    /// What `spreadsheets.get` answers without a mask, as far as it is simulated.
    pub(super) fn structure(&self) -> Value {
        let sheets = self.tabs.iter().enumerate().map(|(index, tab)| {
            let mut properties = json!({
                "sheetId": tab.id, "title": tab.title, "index": index, "sheetType": tab.kind,
            });
            if tab.kind == "GRID" {
                properties["gridProperties"] = json!({ "rowCount": tab.rows, "columnCount": tab.columns });
            }
            json!({ "properties": properties })
        });
        json!({
            "spreadsheetId": self.id,
            "properties": { "title": "Life log", "locale": "it_IT", "timeZone": self.zone },
            "sheets": sheets.collect::<Vec<_>>(),
        })
    }

    /// All cells of a tab, with the rows around its table.
    pub(super) fn cells(&self, tab: &Tab) -> Vec<Vec<Cell>> {
        let headers = |names: &[&str], before: usize| {
            let renamed = |name: &&str| Cell::text(tab.renamed.get(*name).map_or(name, String::as_str));
            let names = names.iter().map(renamed);
            std::iter::repeat_n(Cell::Empty, before).chain(names).collect::<Vec<_>>()
        };
        match &tab.content {
            Content::Weight => {
                let mut cells = vec![headers(&weight::HEADERS, 0)];
                for (place, row) in self.rows(&self.weight, weight::row).into_iter().enumerate() {
                    // A line is left free now and then.
                    if place % 25 == 10 {
                        cells.push(Vec::new());
                    }
                    cells.push(row);
                }
                cells
            }
            Content::Expenses => {
                let title = vec![Cell::text("What we spend")];
                let mut cells = vec![title, Vec::new(), headers(&expenses::HEADERS, 0)];
                cells.extend(self.rows(&self.expenses, expenses::row));
                cells
            }
            Content::Habits => {
                let mut cells = vec![vec![Cell::text("Habits")], headers(&habits::HEADERS, 1)];
                // Boxes for the days to come.
                let ahead = vec![Cell::Empty, Cell::Empty, Cell::Empty, Cell::Boolean(false)];
                let rows = self.rows(&self.habits, habits::row).into_iter();
                for mut row in rows.chain(std::iter::repeat_n(ahead, 5)) {
                    row.insert(0, Cell::Empty);
                    cells.push(row);
                }
                cells
            }
            Content::Cells(cells) => cells.clone(),
        }
    }

    /// The rows of a shelf as they stand in the sheet: in the order in which they were written.
    fn rows<K: Kind>(&self, shelf: &Shelf<K>, row: fn(&Value) -> Vec<Cell>) -> Vec<Vec<Cell>> {
        self.in_order(shelf).into_iter().map(|item| row(&item.shown)).collect()
    }

    fn in_order<'a, K: Kind>(&self, shelf: &'a Shelf<K>) -> Vec<&'a Shelved> {
        let mut items: Vec<_> = shelf.items().collect();
        items.sort_by_key(|item| item.number);
        if self.newest_first {
            items.reverse();
        }
        items
    }

    /// What a client should have: each row, known by its key or by what it says, and as the n-th such row.
    pub(super) fn facts(&self) -> Vec<Fact> {
        let mut facts = self.facts_of(&self.weight, "weight");
        facts.extend(self.facts_of(&self.expenses, "expenses"));
        facts.extend(self.facts_of(&self.habits, "habits"));
        facts
    }

    fn facts_of<K: Kind>(&self, shelf: &Shelf<K>, range: &str) -> Vec<Fact> {
        let kind = shelf.kind();
        let mut seen = BTreeMap::new();
        let fact = |item: &Shelved| {
            let mut fact = Fact::new("rows", "", kind.records(&item.sound)).partition(range);
            let known_by = kind.id(&item.shown);
            let is_sound = item.shown == item.sound || known_by.is_empty();
            if is_sound && fact.records.as_ref().is_some_and(Vec::is_empty) {
                // A row that says nothing of what is asked for.
                return None;
            }
            fact.id = (!known_by.is_empty()).then(|| {
                let nth = seen.entry(known_by.clone()).or_insert(0);
                *nth += 1;
                format!("{known_by}#{nth}")
            });
            if item.shown != item.sound {
                fact.records = None;
            }
            Some(fact)
        };
        self.in_order(shelf).into_iter().filter_map(fact).collect()
    }
}
