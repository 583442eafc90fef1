//! Memory that a decoder may use, asked for while its output grows: what a small
//! body turns into is known only when it is read.

/// How much is asked for at once.
const STEP_BYTES: usize = 32 << 10;

/// Asks an account for memory, a step at a time.
pub struct Room<'a> {
    grow: &'a mut dyn FnMut(usize) -> bool,
    granted: usize,
}

/// The account has no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no memory left for the request")]
pub struct NoRoom;

impl<'a> Room<'a> {
    /// `grow` takes so many bytes more out of the account, or says no.
    pub fn new(grow: &'a mut dyn FnMut(usize) -> bool) -> Self {
        Self { grow, granted: 0 }
    }

    /// Makes sure that `bytes` in all are granted.
    pub fn hold(&mut self, bytes: usize) -> Result<(), NoRoom> {
        if bytes <= self.granted {
            return Ok(());
        }
        let more = (bytes - self.granted).max(STEP_BYTES);
        if !(self.grow)(more) {
            return Err(NoRoom);
        }
        self.granted += more;
        Ok(())
    }
}

impl std::fmt::Debug for Room<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Room").field("granted", &self.granted).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_asked_in_steps_and_may_say_no() {
        let mut left = 100_000;
        let mut grow = |bytes: usize| {
            let fits = bytes <= left;
            left -= if fits { bytes } else { 0 };
            fits
        };
        let mut room = Room::new(&mut grow);
        assert_eq!((room.hold(1), room.hold(STEP_BYTES)), (Ok(()), Ok(())));
        assert_eq!(room.hold(90_000), Ok(()));
        assert_eq!(room.hold(200_000), Err(NoRoom));
        assert_eq!(left, 10_000);
    }
}
