//! Google's tokens: which page comes next, and since when changes are told. Their text holds what a URL must encode.

use lifehub_testkit::SimRequest;

/// Where an item stands in a list, which is sorted by it.
pub(super) type Key = [i64; 4];

/// How many changes a collection has seen: of single entries, and of series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Stand {
    pub(super) singles: u64,
    pub(super) series: u64,
}

impl Stand {
    fn numbers(self) -> [i64; 2] {
        [self.singles, self.series].map(|n| i64::try_from(n).unwrap_or(i64::MAX))
    }

    fn of(numbers: &[i64]) -> Option<Self> {
        let [singles, series] = *numbers else { return None };
        Some(Self { singles: u64::try_from(singles).ok()?, series: u64::try_from(series).ok()? })
    }
}

/// What the last page of a walk gives.
#[derive(Debug, Clone, Copy)]
pub(super) struct SyncToken {
    /// How often all tokens were made invalid before.
    pub(super) epoch: i64,
    /// The list to which it belongs.
    pub(super) list: i64,
    pub(super) stand: Stand,
}

/// What every other page gives.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageToken {
    pub(super) epoch: i64,
    /// The query to which it belongs.
    pub(super) query: i64,
    /// How the collection stood when the walk began.
    pub(super) stand: Stand,
    /// Whether the page before was an empty one in between.
    pub(super) gap: bool,
    /// The last item so far.
    pub(super) last: Option<Key>,
}

impl SyncToken {
    pub(super) fn text(self) -> String {
        let [singles, series] = self.stand.numbers();
        write('S', &[self.epoch, self.list, singles, series])
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let numbers = read('S', text)?;
        let [epoch, list, stand @ ..] = numbers.as_slice() else { return None };
        Some(Self { epoch: *epoch, list: *list, stand: Stand::of(stand)? })
    }
}

impl PageToken {
    pub(super) fn text(self) -> String {
        let [singles, series] = self.stand.numbers();
        let mut numbers = vec![self.epoch, self.query, singles, series, i64::from(self.gap)];
        numbers.extend(self.last.into_iter().flatten());
        write('P', &numbers)
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let numbers = read('P', text)?;
        let [epoch, query, singles, series, gap, last @ ..] = numbers.as_slice() else { return None };
        let last = if last.is_empty() { None } else { Some(last.try_into().ok()?) };
        let stand = Stand::of(&[*singles, *series])?;
        Some(Self { epoch: *epoch, query: *query, stand, gap: *gap == 1, last })
    }
}

const END: &str = "+/==";

fn write(kind: char, numbers: &[i64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
    format!("{kind}{}{END}", numbers.join("."))
}

fn read(kind: char, text: &str) -> Option<Vec<i64>> {
    let numbers = text.strip_prefix(kind)?.strip_suffix(END)?;
    numbers.split('.').map(|number| number.parse().ok()).collect()
}

/// A number that stands for a path and those of its parameters.
pub(super) fn fingerprint(request: &SimRequest, counts: impl Fn(&str) -> bool) -> i64 {
    let mut parts: Vec<&str> = vec![&request.path];
    for (name, value) in request.query.iter().filter(|(name, _)| counts(name)) {
        parts.extend([name.as_str(), value.as_str()]);
    }
    // FNV-1a.
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    i64::from_ne_bytes(hash.to_ne_bytes())
}
