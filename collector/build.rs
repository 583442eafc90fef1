//! A release has ui/dist in it, so it must be built again when the UI was. A
//! development build reads the files when they are asked for.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo:rerun-if-changed=../ui/dist");
    }
}
