//! `cargo palisade`: the same program, as cargo calls it.

use std::process::ExitCode;

fn main() -> ExitCode {
    // cargo repeats the subcommand's name as the first argument.
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments
        .get(1)
        .is_some_and(|argument| argument == "palisade")
    {
        arguments.remove(1);
    }
    palisade::run(arguments)
}
