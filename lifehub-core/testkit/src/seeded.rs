//! Chance that repeats: a small random source for simulated worlds and fault plans.

/// A random source whose whole sequence follows from its seed. It makes no secrets.
#[derive(Debug, Clone)]
pub struct Seeded {
    seed: u64,
    source: fastrand::Rng,
}

impl Seeded {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, source: fastrand::Rng::with_seed(mixed(seed)) }
    }

    /// A sequence of its own for one part of a world (a day, an item), which stays the same whatever the other parts
    /// draw. It depends on the seed and the label alone.
    pub fn fork(&self, label: u64) -> Self {
        Self::new(mixed(self.seed) ^ mixed(label.wrapping_add(0x9e37_79b9_7f4a_7c15)))
    }

    /// True with that probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.source.f64() < probability
    }

    /// A whole number from `low` to `high`, both included; `low` if they are the wrong way round.
    pub fn whole(&mut self, low: i64, high: i64) -> i64 {
        if low < high { self.source.i64(low..=high) } else { low }
    }

    /// A fraction from `low` up to `high`.
    pub fn fraction(&mut self, low: f64, high: f64) -> f64 {
        low + self.source.f64() * (high - low)
    }

    /// A value around `middle`, mostly within `spread` and never further than thrice that.
    pub fn around(&mut self, middle: f64, spread: f64) -> f64 {
        // The sum of twelve uniform draws is close to normal, with a deviation of one.
        let sum: f64 = (0..12).map(|_| self.source.f64()).sum();
        middle + spread * (sum - 6.0).clamp(-3.0, 3.0)
    }

    /// One of them; nothing if there is none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { from.get(self.source.usize(0..from.len())) }
    }
}

/// Spreads neighbouring numbers over the whole range (the finalizer of SplitMix64), as neighbouring seeds would
/// otherwise begin alike.
fn mixed(mut n: u64) -> u64 {
    n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}
