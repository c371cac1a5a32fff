//! seccomp: system calls that no analysis needs fail.
//!
//! What is refused answers `EPERM` rather than ending the process, so that a
//! library's harmless attempt is an error that it handles. `clone3` and
//! `openat2` keep their flags in memory, where a filter cannot look; they
//! answer `ENOSYS`, and the C library falls back to calls that it can judge.

/// Whether the filter is in force.
pub(super) enum Syscalls {
    /// It is.
    Filtered,
    /// It is not.
    Open { reason: String },
}

#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64"
)))]
pub(super) fn restrict() -> Syscalls {
    Syscalls::Open {
        reason: "seccomp: no filter for this processor".to_owned(),
    }
}

#[cfg(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64"
))]
pub(super) fn restrict() -> Syscalls {
    match filter::apply() {
        Ok(()) => Syscalls::Filtered,
        Err(reason) => Syscalls::Open {
            reason: format!("seccomp: {reason}"),
        },
    }
}

#[cfg(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64"
))]
mod filter {
    use std::collections::BTreeMap;

    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule, TargetArch, apply_filter_all_threads,
    };

    type Rules = BTreeMap<i64, Vec<SeccompRule>>;
    type Failure = Box<dyn std::error::Error>;

    pub(super) fn apply() -> Result<(), String> {
        programs()
            .and_then(|programs| {
                for program in &programs {
                    apply_filter_all_threads(program)?;
                }
                Ok(())
            })
            .map_err(|error| error.to_string())
    }

    fn programs() -> Result<[BpfProgram; 2], Failure> {
        let arch: TargetArch = std::env::consts::ARCH.try_into()?;
        let build = |rules: Rules, errno: i32| -> Result<BpfProgram, Failure> {
            let refusal = SeccompAction::Errno(errno.unsigned_abs());
            let filter = SeccompFilter::new(rules, SeccompAction::Allow, refusal, arch)?;
            Ok(filter.try_into()?)
        };
        Ok([
            build(with_x32(refused()?), libc::EPERM)?,
            build(with_x32(opaque()), libc::ENOSYS)?,
        ])
    }

    fn opaque() -> Rules {
        [libc::SYS_clone3, libc::SYS_openat2]
            .map(|call| (call, Vec::new()))
            .into()
    }

    fn refused() -> Result<Rules, Failure> {
        let mut rules: Rules = ALWAYS.iter().map(|&call| (call, Vec::new())).collect();
        let own = u64::from(std::process::id());

        // Threads, but no processes.
        let thread = masked(0, libc::CLONE_THREAD, 0)?;
        rules.insert(libc::SYS_clone, vec![thread]);
        // A process may end itself, and only itself, with a signal.
        rules.insert(libc::SYS_tgkill, vec![rule([not(0, own)?])?]);
        // The one limit that the worker moves is its processor time.
        let others = rule([not(0, 0)?, not(0, own)?])?;
        let cpu = u64::from(libc::RLIMIT_CPU);
        let sets = SeccompCondition::new(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0)?;
        let limit = rule([not(1, cpu)?, sets])?;
        rules.insert(libc::SYS_prlimit64, vec![others, limit]);
        // Shared anonymous memory is not counted by the limit on memory.
        let shared = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        rules.insert(libc::SYS_mmap, vec![masked(3, shared, shared)?]);
        rules.insert(libc::SYS_openat, writing(2)?);
        #[cfg(target_arch = "x86_64")]
        rules.insert(libc::SYS_open, writing(1)?);
        // Typing into somebody's terminal.
        let typing =
            SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, libc::TIOCSTI)?;
        rules.insert(libc::SYS_ioctl, vec![rule([typing])?]);
        Ok(rules)
    }

    /// Every way to open a file other than for reading.
    fn writing(flags: u8) -> Result<Vec<SeccompRule>, Failure> {
        Ok(vec![
            masked(flags, libc::O_ACCMODE, libc::O_WRONLY)?,
            masked(flags, libc::O_ACCMODE, libc::O_RDWR)?,
            masked(flags, libc::O_CREAT, libc::O_CREAT)?,
            masked(flags, libc::O_TRUNC, libc::O_TRUNC)?,
        ])
    }

    fn rule<const N: usize>(all_of: [SeccompCondition; N]) -> Result<SeccompRule, Failure> {
        Ok(SeccompRule::new(all_of.into())?)
    }

    fn not(argument: u8, value: u64) -> Result<SeccompCondition, Failure> {
        let length = SeccompCmpArgLen::Dword;
        Ok(SeccompCondition::new(
            argument,
            length,
            SeccompCmpOp::Ne,
            value,
        )?)
    }

    fn masked(argument: u8, mask: i32, value: i32) -> Result<SeccompRule, Failure> {
        let mask = u64::from(mask.unsigned_abs());
        let value = u64::from(value.unsigned_abs());
        let length = SeccompCmpArgLen::Dword;
        let operator = SeccompCmpOp::MaskedEq(mask);
        rule([SeccompCondition::new(argument, length, operator, value)?])
    }

    /// The x32 interface of x86-64 kernels passes for x86-64 in a filter, but
    /// sets a bit in every number and has numbers of its own from 512 on.
    #[cfg(target_arch = "x86_64")]
    fn with_x32(rules: Rules) -> Rules {
        const X32: i64 = 0x4000_0000;
        let twins: Vec<_> = rules.keys().map(|call| (call | X32, Vec::new())).collect();
        let own = (512..=547).map(|call| (call | X32, Vec::new()));
        let mut all = rules;
        all.extend(twins);
        all.extend(own);
        all
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn with_x32(rules: Rules) -> Rules {
        rules
    }

    /// Refused whatever the arguments are.
    const ALWAYS: &[i64] = &[
        // Programs.
        libc::SYS_execve,
        libc::SYS_execveat,
        // Sockets. io_uring would open them past any filter.
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_bind,
        libc::SYS_connect,
        libc::SYS_listen,
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_sendmmsg,
        libc::SYS_io_uring_setup,
        libc::SYS_io_uring_enter,
        libc::SYS_io_uring_register,
        // Other processes.
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_process_madvise,
        libc::SYS_pidfd_open,
        libc::SYS_pidfd_getfd,
        libc::SYS_pidfd_send_signal,
        libc::SYS_kill,
        libc::SYS_tkill,
        libc::SYS_rt_sigqueueinfo,
        libc::SYS_rt_tgsigqueueinfo,
        libc::SYS_kcmp,
        libc::SYS_setpgid,
        libc::SYS_setsid,
        libc::SYS_setpriority,
        // Mounts, roots and namespaces.
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_move_mount,
        libc::SYS_open_tree,
        libc::SYS_fsopen,
        libc::SYS_fsconfig,
        libc::SYS_fsmount,
        libc::SYS_fspick,
        libc::SYS_mount_setattr,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_name_to_handle_at,
        libc::SYS_open_by_handle_at,
        libc::SYS_fanotify_init,
        // The machine.
        libc::SYS_reboot,
        libc::SYS_kexec_load,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_delete_module,
        libc::SYS_swapon,
        libc::SYS_swapoff,
        libc::SYS_acct,
        libc::SYS_quotactl,
        libc::SYS_settimeofday,
        libc::SYS_clock_settime,
        libc::SYS_clock_adjtime,
        libc::SYS_adjtimex,
        libc::SYS_sethostname,
        libc::SYS_setdomainname,
        libc::SYS_syslog,
        libc::SYS_vhangup,
        // Corners of the kernel with a history.
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_keyctl,
        libc::SYS_personality,
        // Memory and message queues that no limit counts.
        libc::SYS_memfd_create,
        libc::SYS_memfd_secret,
        libc::SYS_shmget,
        libc::SYS_shmat,
        libc::SYS_shmctl,
        libc::SYS_msgget,
        libc::SYS_semget,
        libc::SYS_mq_open,
        // Who the process is, and what it may.
        libc::SYS_setuid,
        libc::SYS_setgid,
        libc::SYS_setreuid,
        libc::SYS_setregid,
        libc::SYS_setresuid,
        libc::SYS_setresgid,
        libc::SYS_setfsuid,
        libc::SYS_setfsgid,
        libc::SYS_setgroups,
        libc::SYS_capset,
        #[cfg(not(target_arch = "riscv64"))]
        libc::SYS_setrlimit,
        // Changing files without opening them.
        libc::SYS_unlinkat,
        #[cfg(not(target_arch = "riscv64"))]
        libc::SYS_renameat,
        libc::SYS_renameat2,
        libc::SYS_mkdirat,
        libc::SYS_linkat,
        libc::SYS_symlinkat,
        libc::SYS_mknodat,
        libc::SYS_truncate,
        libc::SYS_ftruncate,
        libc::SYS_fallocate,
        libc::SYS_fchmod,
        libc::SYS_fchmodat,
        libc::SYS_fchown,
        libc::SYS_fchownat,
        libc::SYS_utimensat,
        libc::SYS_setxattr,
        libc::SYS_lsetxattr,
        libc::SYS_fsetxattr,
        libc::SYS_removexattr,
        libc::SYS_lremovexattr,
        libc::SYS_fremovexattr,
        // The older forms that only the oldest of the processors has.
        #[cfg(target_arch = "x86_64")]
        libc::SYS_fork,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_vfork,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_creat,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_unlink,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_rename,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_mkdir,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_rmdir,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_link,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_symlink,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_mknod,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_chmod,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_chown,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_lchown,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_utime,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_utimes,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_futimesat,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_kexec_file_load,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_iopl,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_ioperm,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_modify_ldt,
    ];
}
